/** What the client decides, told everything; and how much of it a page loads. */
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { targetOf } from './in-app/action-target.ts';
import { withinLimits } from './in-app/held-events.ts';
import { placeTooltip, type Side } from './in-app/place-tooltip.ts';
import { nextPollMs } from './in-app/poll-pace.ts';
import { QueueCalls } from './in-app/queue-calls.ts';
import { eventually } from '../testing/eventually.ts';
import { onSiteFiles } from './on-site-files.ts';

describe('how much a page loads', () => {
  const { client, renderer } = onSiteFiles();
  test('the client is 5 kB at most, and with the renderer it is 15 kB at most', () => {
    expect(client.gzipped.length).toBeLessThanOrEqual(5_000);
    expect(client.gzipped.length + renderer.gzipped.length).toBeLessThanOrEqual(15_000);
  });
});

test('a browser that does not know light-dark() has a colour wherever others have one by it', () => {
  const css = gunzipSync(onSiteFiles().renderer.gzipped).toString();
  const named = [...css.matchAll(/(--[\w-]+):[^;{}]*light-dark\(/g)].map(([, name]) => name);
  const without = /@supports not \(color: light-dark\(.*?\)\) \{([^]*?\})/.exec(css)?.[1] ?? '';
  expect(named).toHaveLength(5);
  for (const name of named) expect(without).toContain(`${String(name)}: `);
  expect(without).not.toContain('light-dark');
});

describe('the pace of polls', () => {
  const pace = { pollSeconds: 10, idleMs: 0, failures: 0, draw: 0 };
  test.each([
    ['as the server asks', {}, 10_000],
    ['slower in an idle tab', { idleMs: 60_000 }, 30_000],
    ['not slower while a rule is pending', { idleMs: 600_000, pollSeconds: 2 }, 2_000],
    ['never sooner than asked, also in an idle tab', { idleMs: 60_000, pollSeconds: 60 }, 60_000],
    ['twice as long after each failure', { failures: 2 }, 40_000],
    ['ten minutes at most', { failures: 1_000, draw: 1 }, 600_000],
  ])('%s', (_what, more, ms) => {
    expect(nextPollMs({ ...pace, ...more })).toBe(ms);
  });
});

describe('what has no answer', () => {
  test('is sent with the next call, also where the answer was that there are too many: a withdrawal is not lost', async () => {
    const kept = new Map<string, string>();
    const localStorage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
      removeItem: (key: string) => kept.delete(key),
    };
    const sent: string[] = [];
    const statuses = [429, 503, 200, 200];
    const fetch = (url: string, { body }: { readonly body: string }) => {
      sent.push(`${String(url.split('/').pop())} ${body}`);
      return Promise.resolve({ status: statuses.shift() });
    };
    const before = [
      Object.getOwnPropertyDescriptor(globalThis, 'localStorage'),
      Object.getOwnPropertyDescriptor(globalThis, 'fetch'),
    ];
    Object.defineProperty(globalThis, 'localStorage', { value: localStorage, configurable: true });
    Object.defineProperty(globalThis, 'fetch', { value: fetch, configurable: true });
    try {
      const calls = new QueueCalls('https://events.shop.example');
      const who = { site_id: 's', anonymous_id: 'a', write_key: 'k' };
      calls.consent(who, false);
      await eventually(() => sent.length === 1 && kept.size === 1);
      await calls.sendKept();
      calls.report({ event: 'dismissed' });
      await eventually(() => kept.size === 0);
      expect(sent.map((call) => call.split(' ')[0])).toEqual(['consent', 'consent', 'consent', 'reports']);
    } finally {
      const [storage, fetched] = before;
      if (storage !== undefined) Object.defineProperty(globalThis, 'localStorage', storage);
      if (fetched !== undefined) Object.defineProperty(globalThis, 'fetch', fetched);
    }
  });
});

describe('what a button does', () => {
  const button = { name: 'x', label: 'X' };
  test.each([
    [{ url: 'https://shop.example/boots' }, { type: 'leads', url: 'https://shop.example/boots' }],
    [
      { url: '/boots', close: true },
      { type: 'leads', url: '/boots' },
    ],
    [{ url: 'javascript:alert(1)' }, { type: 'stays' }],
    [{ url: ' JavaScript:alert(1)', close: true }, { type: 'closes' }],
    [{ url: 'data:text/html,x' }, { type: 'stays' }],
    [{ url: 'gist://loadPage?url=javascript%3Aalert(1)' }, { type: 'stays' }],
    [{ url: 'gist://loadPage?url=%2Fboots' }, { type: 'leads', url: '/boots' }],
    [{ url: 'gist://close' }, { type: 'closes' }],
    [{ url: 'gist://snooze?showIn=5' }, { type: 'snoozes', minutes: 5 }],
    [{ snooze: 60 }, { type: 'snoozes', minutes: 60 }],
  ])('%j', (action, target) => {
    expect(targetOf({ ...button, ...action })).toEqual(target);
  });
});

describe('what waits for consent', () => {
  const day = 86_400_000;
  test('is never more, older or longer than said, the newest stay, and what is left out is counted', () => {
    const event = fc.record({
      age: fc.integer({ min: 0, max: 30 * day }),
      note: fc.string({ maxLength: 50 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (told, eventsMax) => {
        const now = 40 * day;
        const all = told
          .sort((one, other) => other.age - one.age)
          .map(({ age, note }) => ({ timestamp: new Date(now - age).toISOString(), note }));
        const left = { by_count: 0, by_age: 0 };
        const kept = withinLimits({ events: all, left }, { eventsMax, daysMax: 14 }, now);
        const young = all.filter(({ timestamp }) => Date.parse(timestamp) > now - 14 * day);
        expect(kept.events).toEqual(young.slice(-eventsMax));
        expect(kept.events.length + kept.left.by_count + kept.left.by_age).toBe(all.length);
      }),
    );
  });

  test('has 500,000 characters at most', () => {
    const events = Array.from({ length: 10 }, (_, index) => ({
      timestamp: new Date(1_000 + index).toISOString(),
      note: 'x'.repeat(99_000),
    }));
    const kept = withinLimits(
      { events, left: { by_count: 0, by_age: 0 } },
      { eventsMax: 100, daysMax: 14 },
      2_000,
    );
    expect(kept.events).toEqual(events.slice(-5));
    expect(kept.left).toEqual({ by_count: 5, by_age: 0 });
  });
});

describe('where a tooltip stands', () => {
  test('where no side has room, on the one that covers the least of its element', () => {
    const [screen, tip] = [
      { width: 360, height: 640 },
      { width: 300, height: 330 },
    ];
    const button = { left: 140, top: 292, width: 80, height: 44 };
    for (const side of ['left', 'right', 'top', 'bottom'] as const) {
      const { top } = placeTooltip(button, tip, screen, side);
      expect(button.top + button.height - top).toBeLessThanOrEqual(38); // of its height; beside it all would be covered
    }
  });

  test('within the window wherever it fits there, and clear of its element where a side has room', () => {
    const size = fc.integer({ min: 1, max: 200 });
    const side = fc.constantFrom<Side>('top', 'bottom', 'left', 'right');
    fc.assert(
      fc.property(
        fc.record({ left: fc.integer({ min: 0, max: 800 }), top: fc.integer({ min: 0, max: 500 }) }),
        fc.record({ width: size, height: size }),
        fc.record({ width: size, height: size }),
        side,
        (corner, box, tip, asked) => {
          const screen = { width: 1_000, height: 700 };
          const { left, top } = placeTooltip({ ...corner, ...box }, tip, screen, asked);
          expect(left).toBeGreaterThanOrEqual(12);
          expect(top).toBeGreaterThanOrEqual(12);
          expect(left + tip.width).toBeLessThanOrEqual(988);
          expect(top + tip.height).toBeLessThanOrEqual(688);
          const isClear =
            left >= corner.left + box.width ||
            left + tip.width <= corner.left ||
            top >= corner.top + box.height ||
            top + tip.height <= corner.top;
          // Above or below there is room for any of these.
          expect(isClear).toBe(true);
        },
      ),
    );
  });
});
