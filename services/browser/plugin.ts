/**
 * What a page loads from us (spec A.4, A.8): the script of Customer.io's client with its chunks, its settings, our own
 * script for pages that have the classic snippet, and what shows on-site messages. What the page then sends is ingest's.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Workspace } from '../../schemas/ids.ts';
import type { ConsentSettings } from '../runtime/workspace-settings.ts';
import { ClassicScripts } from './classic-script.ts';
import { clientFiles } from './client-files.ts';
import { onSiteFiles } from './on-site-files.ts';
import { licenceUrl, sendOwn, sendScript, sendText } from './send-file.ts';
import { addressOf, settingsDocument } from './settings-document.ts';

export interface BrowserOptions {
  /** undefined: no such key. */
  readonly keys: { pipelines(writeKey: string): Workspace | undefined };
  /** Where browsers reach us, if the request does not say it: `https://events.shop.example`. */
  readonly publicUrl: string | undefined;
  readonly consent: (workspace: Workspace) => ConsentSettings;
  /** A page has loaded the settings of its key. @param page as the browser says, mostly its origin. */
  readonly loaded: (workspace: Workspace, page: string | null) => void;
  /** A page has asked for those of a key that lets it in no more, or never did. @returns what it is answered with its 401. */
  readonly turnedAway: (
    writeKey: string,
    page: string | null,
  ) => { readonly error: string; readonly code?: string };
}

const JSON_TYPE = 'application/json; charset=utf-8';

export function browserPlugin(app: FastifyInstance, options: BrowserOptions, done: () => void): void {
  const { scripts, main, licence } = clientFiles();
  const classic = new ClassicScripts();
  app.get('/v1/analytics-js/snippet/:write_key/analytics.min.js', (request, reply) =>
    sendScript(request, reply, main),
  );
  app.get<{ Params: { file: string } }>('/v1/analytics-js/:file', (request, reply) => {
    const script = scripts.get(request.params.file);
    return script === undefined
      ? sendUnknown(reply, request.params.file)
      : sendScript(request, reply, script);
  });
  app.get(licenceUrl, (request, reply) => sendText(request, reply, licence));
  app.get<{ Params: { write_key: string } }>('/assets/:write_key/track.js', (request, reply) => {
    const workspace = options.keys.pipelines(request.params.write_key);
    return sendScript(
      request,
      reply,
      classic.of(workspace === undefined ? undefined : options.consent(workspace)),
    );
  });
  mountOnSite(app);
  mountSettings(app, options);
  // What the library tells of itself, of no visitor: its settings ask for none of it (sampleRate 0).
  app.post('/v1/m', (_request, reply) => reply.header('content-type', JSON_TYPE).send('{}\n'));
  done();
}

function mountOnSite(app: FastifyInstance): void {
  const { client, renderer, html, framePage } = onSiteFiles();
  app.get('/v1/plugins/in-app.js', (request, reply) => sendOwn(request, reply, client));
  app.get('/v1/plugins/in-app/renderer', (request, reply) => sendOwn(request, reply, renderer));
  app.get('/v1/plugins/in-app/html', (request, reply) => sendOwn(request, reply, html));
  // Its name is compiled into the plugin.
  app.get('/index.html', (request, reply) => sendOwn(request, reply, framePage, 'html'));
}

function mountSettings(app: FastifyInstance, options: BrowserOptions): void {
  const { keys, publicUrl, loaded, turnedAway, consent } = options;
  app.get<{ Params: { write_key: string } }>('/v1/projects/:write_key/settings', (request, reply) => {
    const writeKey = request.params.write_key;
    const workspace = keys.pipelines(writeKey);
    const { referer, origin } = request.headers;
    const page = referer ?? origin ?? null;
    if (workspace === undefined) return refuse(reply, 401, turnedAway(writeKey, page));
    loaded(workspace, page);
    const document = settingsDocument(writeKey, addressOf(request, publicUrl), consent(workspace));
    return reply.header('content-type', JSON_TYPE).send(`${JSON.stringify(document)}\n`);
  });
}

function sendUnknown(reply: FastifyReply, file: string): FastifyReply {
  return refuse(reply, 404, { error: `could not find the script ${file}`, code: 'not_found' });
}

function refuse(reply: FastifyReply, status: number, meta: object): FastifyReply {
  return reply
    .code(status)
    .header('content-type', JSON_TYPE)
    .send(`${JSON.stringify({ meta })}\n`);
}
