/**
 * The page at `/`: where this installation is, which key is for what, what arrives, how it was answered and why. Its files
 * are served as they lie in files/. What it shows it asks of the API with the reader's app key; a link with a one-time
 * code brings the keys of an installation on the reader's own machine.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readFileSync } from 'node:fs';

/** By the names of credentials.json. */
export type SignedIn = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

export interface FrontPageOptions {
  /** Takes a code for ever. undefined: it signs nobody in. */
  readonly signIn: (code: string) => Promise<SignedIn | undefined>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const types = { css: 'text/css', mjs: 'text/javascript', svg: 'image/svg+xml' } as const;
const files = [
  'page.css',
  'page.mjs',
  'sign-in.mjs',
  'keys.mjs',
  'snippets.mjs',
  'calls.mjs',
  'refusals.mjs',
  'on-site.mjs',
  'story.mjs',
  'element.mjs',
  'icon.svg',
] as const;

/** Nothing from elsewhere, nothing inline, no frame around it: what shows keys runs no script but its own. */
export const pageHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

export function frontPagePlugin(app: FastifyInstance, { signIn }: FrontPageOptions, done: () => void): void {
  const page = fileNamed('index.html');
  const parts = new Map<string, Buffer>(files.map((name) => [name, fileNamed(name)]));
  app.get('/', (_request, reply) => send(reply, 'text/html', page));
  app.get<{ Params: { file: string } }>('/page/:file', (request, reply) => {
    const name = request.params.file;
    const part = parts.get(name);
    if (part === undefined) return refuse(reply, 404, `could not find the file ${name}`, 'not_found');
    return send(reply, types[name.slice(name.lastIndexOf('.') + 1) as keyof typeof types], part); // one of ours
  });
  // In the first hook, so that nothing of a body is read.
  app.post('/v1/sign-in', {
    onRequest: (request, reply) => answerSignIn(signIn, request, reply),
    handler: (_request, reply) => reply,
  });
  done();
}

function fileNamed(name: string): Buffer {
  return readFileSync(new URL(`./files/${name}`, import.meta.url));
}

function send(reply: FastifyReply, type: string, bytes: Buffer): FastifyReply {
  reply.removeHeader('access-control-allow-origin').headers(pageHeaders);
  return reply.header('content-type', `${type}; charset=utf-8`).send(bytes);
}

function refuse(reply: FastifyReply, status: number, error: string, code: string): FastifyReply {
  const body = `${JSON.stringify({ meta: { error, code } })}\n`;
  return reply.code(status).header('content-type', JSON_TYPE).send(body);
}

async function answerSignIn(
  signIn: FrontPageOptions['signIn'],
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const code = /^bearer +([0-9a-f]{1,100}) *$/i.exec(request.headers.authorization ?? '')?.[1];
  const workspaces = code === undefined ? undefined : await signIn(code);
  // Its answer has keys in it: no other page may read it.
  reply.removeHeader('access-control-allow-origin');
  if (workspaces === undefined) return refuse(reply, 401, noCode, 'unauthorized');
  return reply.header('content-type', JSON_TYPE).send(`${JSON.stringify({ workspaces })}\n`);
}

const noCode =
  'Unauthorized request: this call takes Bearer with the code of a link that npm start or npm run page printed, once, within an hour';
