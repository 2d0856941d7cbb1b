/*!
 * Hindsight: on-site messages, what decides and polls. Apache-2.0.
 */
/*
 * Two ways in. The browser library calls `window.hindsightInApp(settings)` and gets a plugin; a page with the classic
 * snippet has this script with `data-site-id`. In both, `hindsightInApp.consent(true)` or `(false)` says what the visitor
 * has said.
 */
import { analyticsPlugin } from './analytics-plugin.ts';
import { classicTracker } from './classic-tracker.ts';
import { InAppClient } from './client.ts';
import { Consent } from './consent.ts';
import { HeldEvents, usualLimits, type HeldLimits } from './held-events.ts';
import { loadRenderer } from './load-renderer.ts';
import { sendHeld } from './send-held.ts';
import type { Settings } from './settings.ts';

interface InApp {
  (settings: Settings): ReturnType<typeof analyticsPlugin>;
  consent(isGiven: boolean): void;
}

declare global {
  interface Window {
    hindsightInApp?: InApp;
  }
}

const script = document.currentScript as HTMLScriptElement | null; // no script of a drawing
const base = script?.src.split('/v1/plugins/')[0] ?? '';

function clientOf(settings: Settings, consent: Consent, hasMessages: boolean): InAppClient {
  const { siteId = '', writeKey = '', signals: hasSignals = true } = settings;
  const renderer = () => loadRenderer(base);
  return new InAppClient({ base, siteId, writeKey, consent, hasSignals, hasMessages, renderer });
}

const inApp: InApp = Object.assign(
  (settings: Settings) => {
    const { workspaceConsent } = settings;
    const consent = new Consent(settings.consent === true || workspaceConsent !== undefined);
    const held = new HeldEvents(limitsOf(settings));
    const hasMessages =
      settings.siteId !== undefined && settings.anonymousInApp === true && settings.enabled !== true;
    const client = clientOf(settings, consent, hasMessages);
    return analyticsPlugin({
      client,
      consent,
      held,
      hasMessages,
      loaded: (analytics) => {
        const send = () => {
          void sendHeld({ base, writeKey: settings.writeKey ?? '', held, analytics });
        };
        if (consent.state() === 'given') send();
        inApp.consent = (isGiven) => {
          consent.set(isGiven);
          if (isGiven) send();
          else held.forget();
          client.consented(isGiven, true);
        };
      },
    });
  },
  // Before the library has loaded the plugin.
  { consent: (isGiven: boolean) => new Consent(true).set(isGiven) },
);

if (window.hindsightInApp === undefined) {
  window.hindsightInApp = inApp;
  const { siteId, consent: needed, signals } = script?.dataset ?? {};
  if (siteId !== undefined)
    standAlone({ siteId, consent: needed === 'required', signals: signals !== 'off' });
}

/** A page may keep less than its workspace says, not more. */
function limitsOf({ workspaceConsent, consentEventsMax, consentDaysMax }: Settings): HeldLimits {
  const { eventsMax, daysMax } = workspaceConsent ?? { eventsMax: Infinity, daysMax: Infinity };
  const usual = workspaceConsent ?? usualLimits;
  return {
    eventsMax: Math.min(consentEventsMax ?? usual.eventsMax, eventsMax),
    daysMax: Math.min(consentDaysMax ?? usual.daysMax, daysMax),
  };
}

/** Events are the classic script's, and it holds them back itself. */
function standAlone(settings: Settings): void {
  // Until the classic script has said that it is not, consent is needed: nothing is asked before.
  const consent = new Consent(true);
  const client = clientOf(settings, consent, true);
  const tracker = classicTracker(client, (isNeeded) => {
    if (settings.consent !== true && !isNeeded) consent.isNotNeeded();
  });
  client.start(tracker);
  inApp.consent = (isGiven) => {
    // First, since it goes by what was said before; it tells the server, too.
    window._cio?.push(['consent', isGiven]);
    consent.set(isGiven);
    client.consented(isGiven, false);
  };
}
