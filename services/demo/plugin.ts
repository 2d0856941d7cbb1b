/**
 * `/demo`: a sample shop for newcomers, with the story of its visitor beside it. The shop is a page like any other, with a
 * snippet and keys that a page may have. Its story is that of `GET /v1/trace` and of *why not*, for one visitor of
 * workspace `sample`, asked of this very server, so that no app key goes to the page.
 */
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../runtime/errors.ts';
import { demoDefinitions, messageId, type DemoDefinition } from './definitions.ts';
import { tellable } from './story.ts';

export interface DemoKeys {
  readonly site_id: string;
  /** Of kind browser. */
  readonly browser_key: string;
  readonly app_key: string;
}

export interface DemoOptions {
  /** Of workspace `sample`, as they are now. */
  readonly keys: () => DemoKeys;
}

/** Of an anonymous id: more than a browser's own, so that nobody asks for what somebody chose. */
const anonymousIdPattern = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Each asks ClickHouse; whoever is one too many asks again a second later. */
export const storiesAtOnceMax = 4;

const types = { html: 'text/html', js: 'text/javascript', css: 'text/css' };

export function demoPlugin(app: FastifyInstance, { keys }: DemoOptions, done: () => void): void {
  const [html, script, style] = [read('demo.html'), read('demo.js'), read('demo.css')];
  const asOperator = asked(app, keys);
  let prepared: Promise<void> | undefined;
  const prepare = (): Promise<void> => {
    prepared ??= storeMissing(asOperator).catch((error: unknown) => {
      prepared = undefined; // the next page tries again
      throw error;
    });
    return prepared;
  };
  app.get('/demo', async (_request, reply) => {
    await prepare();
    const { site_id: siteId, browser_key: key } = keys();
    return send(reply, 'html', html.replace('SITE_ID', escaped(siteId)).replace('BROWSER_KEY', escaped(key)));
  });
  app.get('/demo/demo.js', (_request, reply) => send(reply, 'js', script));
  app.get('/demo/demo.css', (_request, reply) => send(reply, 'css', style));
  let asking = 0;
  app.get<{ Querystring: Record<string, unknown> }>('/demo/story', async (request, reply) => {
    const anonymousId = anonymousIdOf(request);
    if (anonymousId === undefined) {
      return refuse(
        reply,
        400,
        'invalid_call',
        'anonymous_id is the uuid that the page has given its visitor',
      );
    }
    if (asking >= storiesAtOnceMax) {
      return refuse(reply, 429, 'rate_limited', 'too many ask for their stories: ask again');
    }
    asking += 1;
    try {
      return await reply.type('application/json; charset=utf-8').send(await storyOf(asOperator, anonymousId));
    } finally {
      asking -= 1;
    }
  });
  done();
}

/** A call to this server with the app key of workspace `sample`. */
type AsOperator = (
  method: 'GET' | 'PUT',
  url: string,
  body?: DemoDefinition['body'],
) => Promise<{ readonly status: number; readonly text: string }>;

function asked(app: FastifyInstance, keys: DemoOptions['keys']): AsOperator {
  return async (method, url, body) => {
    const headers = { authorization: `Bearer ${keys().app_key}`, 'content-type': 'application/json' };
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const { statusCode: status, body: text } = await app.inject({ method, url, headers, ...payload });
    return { status, text };
  };
}

/** What is there stays as it is: it may have been changed since. */
async function storeMissing(ask: AsOperator): Promise<void> {
  for (const { path, body } of demoDefinitions) {
    const found = await ask('GET', path);
    if (found.status === 200) continue;
    const stored = await ask('PUT', path, body);
    if (stored.status >= 300) {
      throw new CodedError('rule_refused', `could not store ${path}: ${stored.text}`);
    }
  }
}

/** `trace`, as far as it may be told, and `message` as that route answers it; null where they answer nothing. */
async function storyOf(ask: AsOperator, anonymousId: string): Promise<string> {
  const who = `anonymous_id=${encodeURIComponent(anonymousId)}`;
  const [trace, message] = await Promise.all([
    ask('GET', `/v1/trace?${who}`),
    ask('GET', `/v1/explain/messages/${messageId}?${who}`),
  ]);
  const why = message.status === 200 ? message.text.trim() : 'null';
  const told = trace.status === 200 ? tellable(JSON.parse(trace.text) as Record<string, unknown>) : null; // our own answer
  return `{"trace":${JSON.stringify(told)},"message":${why}}\n`;
}

function anonymousIdOf({
  query,
}: FastifyRequest<{ Querystring: Record<string, unknown> }>): string | undefined {
  const { anonymous_id: id } = query;
  return typeof id === 'string' && anonymousIdPattern.test(id) ? id : undefined;
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  const meta = { error: message, code };
  return reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(`${JSON.stringify({ meta })}\n`);
}

function send(reply: FastifyReply, kind: keyof typeof types, text: string): FastifyReply {
  return reply
    .headers({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' })
    .type(`${types[kind]}; charset=utf-8`)
    .send(text);
}

function read(name: string): string {
  return readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');
}

function escaped(text: string): string {
  return text.replace(/[&"<>]/g, (sign) => `&#${String(sign.charCodeAt(0))};`);
}
