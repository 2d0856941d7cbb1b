/** Pages with the classic snippet: our track.js, or the queue that it will find. */
import { cookieIn } from './cookie.ts';
import type { PageStory, Tracker } from './tracker.ts';

interface Classic {
  push(call: readonly unknown[]): unknown;
}

declare global {
  interface Window {
    _cio?: Classic;
  }
}

/** @param ready is told, once the classic script runs, whether it waits for consent. */
export function classicTracker(story: PageStory, ready: (isConsentNeeded: boolean) => void): Tracker {
  const call = (...entry: readonly unknown[]) => (window._cio ??= []).push(entry);
  call('ready', (isConsentNeeded: unknown) => {
    ready(isConsentNeeded === true);
    story.renamed();
  });
  call('on', 'page', (name: unknown) => {
    story.paged(typeof name === 'string' ? name : undefined);
  });
  call('on', 'track', () => {
    story.tracked();
  });
  for (const name of ['identify', 'sidentify', 'reset']) {
    call('on', name, () => {
      story.renamed();
    });
  }
  return {
    anonymousId: () => cookieIn(document.cookie, '_cioanonid'),
    userId: () => cookieIn(document.cookie, '_cioid'),
    track: (event, properties) => call('track', event, properties),
    identify: (traits) => call('identify', traits),
  };
}
