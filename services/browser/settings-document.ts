/**
 * What the client for browsers asks for before it sends anything (spec A.4). Without `apiHost` it would send to
 * Customer.io, so the document names the address by which the browser has reached us. Pure.
 */
import type { FastifyRequest } from 'fastify';
import type { ConsentSettings } from '../runtime/workspace-settings.ts';

export interface Address {
  readonly protocol: 'http' | 'https';
  /** With the port and, behind a proxy, a path: `events.shop.example/hindsight`. */
  readonly host: string;
}

/**
 * As the request says, unless there is an address for the public. A proxy that ends TLS tells of it, or all that a page
 * of https sent would be blocked; whoever lies about it gets a document that nobody else does.
 */
export function addressOf(request: Request, publicUrl: string | undefined): Address {
  if (publicUrl !== undefined) {
    const { protocol, host, pathname } = new URL(publicUrl);
    return { protocol: isHttps(protocol.slice(0, -1)), host: `${host}${pathname.replace(/\/+$/, '')}` };
  }
  const told = request.headers['x-forwarded-proto'];
  const [first = ''] = (typeof told === 'string' ? told : '').split(',');
  return { protocol: isHttps(first.trim().toLowerCase() || request.protocol), host: request.host };
}

type Request = Pick<FastifyRequest, 'host' | 'protocol' | 'headers'>;

function isHttps(protocol: string): Address['protocol'] {
  return protocol === 'https' ? 'https' : 'http';
}

const IN_APP = 'Customer.io In-App Plugin';
const enabled = { __default: { enabled: true } };

/** @param consent of the workspace: what its pages may not loosen. */
export function settingsDocument(
  writeKey: string,
  { protocol, host }: Address,
  { required, events_max: eventsMax, days_max: daysMax }: ConsentSettings,
) {
  return {
    integrations: {
      'Customer.io Data Pipelines': {
        apiKey: writeKey,
        apiHost: `${host}/v1`,
        protocol,
        addBundledMetadata: true,
        unbundledIntegrations: [],
        versionSettings: { version: '4.4.7', componentTypes: ['browser'] },
      },
      // Said outright: left out, the library would go by the page and load its own, which knows only its own hosts.
      [IN_APP]: { enabled: false },
    },
    plan: { track: enabled, identify: enabled, group: enabled },
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    remotePlugins: [
      {
        // Under the name that the page gives its options to.
        name: IN_APP,
        creationName: 'Hindsight In-App',
        url: `${protocol}://${host}/v1/plugins/in-app.js`,
        libraryName: 'hindsightInApp',
        settings: { writeKey, ...(required && { workspaceConsent: { eventsMax, daysMax } }) },
      },
    ],
    legacyVideoPluginsEnabled: false,
  };
}
