/**
 * What holds for every route that takes calls: a key that calls too fast is answered 429 before its body is read, and
 * every answer is seen by whoever watches the door.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { callerOf, type KnownKey } from '../runtime/caller.ts';
import type { Sighting } from '../runtime/sighting.ts';
import { failure, type Envelope } from './answers.ts';
import type { CallLimits, Limited } from './call-limits.ts';
import { sightings, type Answer, type Taken } from './sightings.ts';
import type { Translation } from './translation.ts';
import { turnedAwayOf } from './turned-away.ts';

export interface Watch {
  /** Never throws, and keeps nobody waiting. */
  saw(sightings: readonly Sighting[]): void;
}

const taken = new WeakMap<FastifyRequest, Taken>();

/** Told by routes, before they deliver: what they do not tell is seen as one call of which nothing is known. */
export function tellTaken(request: FastifyRequest, what: Taken): void {
  taken.set(request, what);
}

export function takenBy(...translations: readonly Translation[]): Taken {
  return {
    outcomes: translations.flatMap((each) => (each.type === 'accepted' ? each.outcomes : [])),
    refusals: translations.filter((each) => each.type === 'refused'),
  };
}

export function watchDoor(app: FastifyInstance, limits: CallLimits, watch: Watch): void {
  // After the route's own hook, which finds the key, and before the body.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    const key = callerOf(request)?.key;
    if (key === undefined || !limited(limits, key, reply)) done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    const key = callerOf(request)?.key;
    if (key !== undefined) limits.charge(key, { calls: 0, bytes: bytesOf(request) });
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    watch.saw(sightings(answerOf(request, reply, payload), taken.get(request)));
    done(null, payload);
  });
}

/** For a key that was in the body. @returns whether the request was answered 429. */
export function limitedByBody(limits: CallLimits, request: FastifyRequest, reply: FastifyReply): boolean {
  const key = callerOf(request)?.key;
  if (key === undefined) return false;
  if (limited(limits, key, reply)) return true;
  limits.charge(key, { calls: 0, bytes: bytesOf(request) });
  return false;
}

function limited(limits: CallLimits, key: KnownKey, reply: FastifyReply): boolean {
  const why = limits.limited(key);
  if (why === undefined) return false;
  const body = limitBody(envelopeOf(reply.request.url), why);
  void failure(reply.header('retry-after', String(why.waitS)), 429, body);
  return true;
}

function limitBody(envelope: Envelope, { code, message }: Limited): unknown {
  switch (envelope) {
    case 'error':
      return { meta: { error: message, code } };
    case 'errors':
      return { meta: { errors: [message], code } };
    case 'v2':
      return { errors: [{ reason: code, field: '', message }] };
  }
}

/** Track v1 has another for events than for the rest; Track v2 has its own. */
function envelopeOf(url: string): Envelope {
  const [path = ''] = url.split('?');
  if (/^\/+api\/+v2\//.test(path)) return 'v2';
  return /^\/+api\/+v1\/(.*\/)?events\/?$/.test(path) ? 'errors' : 'error';
}

function bytesOf(request: FastifyRequest): number {
  return Buffer.isBuffer(request.body) ? request.body.length : 0;
}

function answerOf(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
  const { statusCode: status } = reply;
  const away = status === 401 ? turnedAwayOf(request) : undefined;
  const key = callerOf(request)?.key ?? away?.key;
  const fault = faultOf(status, payload);
  return {
    at: Date.now(),
    workspace: callerOf(request)?.workspace ?? key?.workspace ?? null,
    key: key?.id ?? null,
    route: `${request.method} ${request.routeOptions.url ?? ''}`,
    status,
    fault: fault && { ...fault, message: `${fault.message}${away?.why ?? ''}` },
  };
}

interface ErrorBody {
  readonly meta?: { readonly error?: string; readonly errors?: readonly string[]; readonly code?: string };
  readonly errors?: readonly {
    readonly reason?: string;
    readonly code?: string;
    readonly message?: string;
  }[];
}

/** Of an answer of ours; undefined: it is none of a fault. */
export function faultOf(status: number, payload: unknown): Answer['fault'] {
  if (status < 400) return undefined;
  try {
    const { meta, errors } = JSON.parse(String(payload)) as ErrorBody; // our own answers
    const message = meta?.error ?? meta?.errors?.[0] ?? errors?.[0]?.message ?? '';
    return { reason: meta?.code ?? errors?.[0]?.reason ?? errors?.[0]?.code ?? 'invalid_call', message };
  } catch {
    return { reason: 'unknown', message: '' };
  }
}
