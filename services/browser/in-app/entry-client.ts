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
import { HeldEvents, usualLimits } from './held-events.ts';
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

function clientOf({ siteId = '', signals = true }: Settings, consent: Consent): InAppClient {
  const renderer = () => loadRenderer(base);
  return new InAppClient({ base, siteId, consent, hasSignals: signals, renderer });
}

const inApp: InApp = Object.assign(
  (settings: Settings) => {
    const {
      consentEventsMax: eventsMax = usualLimits.eventsMax,
      consentDaysMax: daysMax = usualLimits.daysMax,
    } = settings;
    const consent = new Consent(settings.consent === true);
    const held = new HeldEvents({ eventsMax, daysMax });
    const client = clientOf(settings, consent);
    return analyticsPlugin({
      client,
      consent,
      held,
      hasMessages:
        settings.siteId !== undefined && settings.anonymousInApp === true && settings.enabled !== true,
      loaded: (analytics) => {
        const send = () => {
          void sendHeld({ base, writeKey: settings.writeKey ?? '', held, analytics });
        };
        if (consent.state() === 'given') send();
        inApp.consent = (isGiven) => {
          consent.set(isGiven);
          if (isGiven) send();
          else held.forget();
          client.consented(isGiven);
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

/** Events are the classic script's, and it holds them back itself. */
function standAlone(settings: Settings): void {
  const consent = new Consent(settings.consent === true);
  const client = clientOf(settings, consent);
  client.start(classicTracker(client));
  inApp.consent = (isGiven) => {
    consent.set(isGiven);
    window._cio?.push(['consent', isGiven]);
    client.consented(isGiven);
  };
}
