/**
 * The client as a plugin of @customerio/cdp-analytics-browser, which loads it by `remotePlugins` of the settings document
 * (spec B). A plugin of type `before` sees each event before it is sent, and may keep it back.
 */
import type { InAppClient } from './client.ts';
import type { Consent } from './consent.ts';
import type { HeldEvent, HeldEvents } from './held-events.ts';

interface User {
  id(): string | null | undefined;
  anonymousId(): string | null | undefined;
  traits(): Readonly<Record<string, unknown>> | undefined;
}

interface Analytics {
  user(): User;
  track(event: string, properties: Readonly<Record<string, unknown>>): unknown;
  identify(traits: Readonly<Record<string, string>>): unknown;
  on(event: 'reset', listener: () => void): unknown;
}

interface Context {
  readonly event: HeldEvent & { readonly properties?: Readonly<Record<string, unknown>> };
  cancel(): never;
}

export interface PluginParts {
  readonly client: InAppClient;
  readonly consent: Consent;
  readonly held: HeldEvents;
  /** false: the page asks for no messages; the plugin minds consent alone. */
  readonly hasMessages: boolean;
  readonly loaded: (analytics: Analytics) => void;
}

export function analyticsPlugin({ client, consent, held, hasMessages, loaded }: PluginParts) {
  /** After the library has taken the event in, so that it says who the visitor is by then. */
  const then = (tell: () => void) => setTimeout(tell);
  const kept = (tell: (context: Context) => void) => (context: Context) => {
    const state = consent.state();
    if (state === 'asked') held.hold(context.event);
    if (state !== 'given') cancel(context);
    if (hasMessages) then(() => tell(context));
    return context;
  };
  let isLoaded = false;
  return {
    name: 'Hindsight In-App',
    version: '1.0.0',
    type: 'before',
    isLoaded: () => isLoaded,
    load: (_context: unknown, analytics: Analytics) => {
      isLoaded = true;
      loaded(analytics);
      if (hasMessages) analytics.on('reset', () => then(() => client.renamed()));
      client.start(trackerOf(analytics));
      return Promise.resolve();
    },
    page: kept(({ event: { properties = {} } }) => {
      const name = properties['name'] ?? properties['url'];
      client.paged(typeof name === 'string' ? name : undefined);
    }),
    track: kept(() => client.tracked()),
    screen: kept(() => client.tracked()),
    identify: kept(() => client.renamed()),
    group: kept(() => undefined),
    alias: kept(() => client.renamed()),
  };
}

/** The library would try again what is cancelled, unless that says that it need not. */
function cancel(context: Context): void {
  try {
    context.cancel();
  } catch (cancelled) {
    if (cancelled instanceof Object) Object.assign(cancelled, { retry: false });
    throw cancelled;
  }
}

function trackerOf(analytics: Analytics) {
  return {
    anonymousId: () => analytics.user().anonymousId() ?? undefined,
    userId: () => {
      const user = analytics.user();
      const email = user.traits()?.['email'];
      return user.id() ?? (typeof email === 'string' && email !== '' ? email : undefined);
    },
    track: (event: string, properties: Readonly<Record<string, unknown>>) => {
      analytics.track(event, properties);
    },
    identify: (traits: Readonly<Record<string, string>>) => {
      analytics.identify(traits);
    },
  };
}
