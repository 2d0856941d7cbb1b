/**
 * Bodies are read to Buffers, whatever their content type says: clients send JSON as text/plain, JSON types with empty
 * bodies, and empty forms (spec A.0 row 7). Every body is bounded, in bytes and in time, and so is the sum of those in
 * memory.
 *
 *   key in a header ──known──▶ budget `known` ──┬─ whole ──▶ handler ──▶ answer given ──▶ given back
 *          └──not known──▶ 401, nothing read    └─ cut off, too large, too late, no room ──▶ given back at once
 *   key in the body ──────────▶ budget `browser`, the same
 *
 * A large body that is whole waits for its turn (dear-bodies.ts) before its handler has it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import { callerOf, type Caller } from '../runtime/caller.ts';
import { CodedError } from '../runtime/errors.ts';
import type { BodyBudgets, Hold, Owner } from './body-budget.ts';
import { BodyParts } from './body-parts.ts';
import type { ClientAddresses } from './client-address.ts';
import { DearBodies, dearBytesMin } from './dear-bodies.ts';
import { decodeBody, encodingsOf, tooLarge } from './decode-body.ts';

/** From the first byte of a body to its last. */
export const bodyMsMax = 30_000;
/** What still comes of a body that is refused is read and forgotten, so that its client gets to read the answer. */
const drainMsMax = 1_000;

export interface BodyOptions {
  readonly budgets: BodyBudgets;
  readonly clients: ClientAddresses;
  readonly bodyMsMax: number;
}

export function readBodies(app: FastifyInstance, { budgets, clients, bodyMsMax: msMax }: BodyOptions): void {
  const holds = new WeakMap<FastifyRequest, Hold>();
  const dear = new DearBodies(overloaded);
  const giveBack = (request: FastifyRequest): void => {
    holds.get(request)?.close();
    holds.delete(request);
  };

  app.addHook('onRequest', (request, _reply, done) => {
    // A content type that cannot be parsed would be answered 415; what it says does not matter here.
    if (request.headers['content-type'] !== undefined) request.headers['content-type'] = 'application/json';
    done();
  });
  // The answer is known, so the handler is done with the body. Whether the client is still there does not matter: of one
  // that is gone `onResponse` is never called.
  app.addHook('onSend', (request, _reply, payload, done) => {
    giveBack(request);
    request.body = undefined;
    done(null, payload);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: IncomingMessage) => {
    const isKnown = callerOf(request) !== undefined;
    const owner = ownerOf(callerOf(request), clients.of(request.raw));
    const hold = (isKnown ? budgets.known : budgets.browser).open(owner);
    if (hold === undefined) {
      await drained(payload);
      throw overloaded();
    }
    holds.set(request, hold);
    try {
      const body = await read(request, payload, hold);
      if (body.length > dearBytesMin) await dear.turn(owner, hold);
      return body;
    } catch (error) {
      giveBack(request);
      if (!payload.readableEnded) await drained(payload);
      throw error;
    }
  });

  async function read(request: FastifyRequest, payload: IncomingMessage, hold: Hold): Promise<Buffer> {
    const encodings = encodingsOf(request.headers['content-encoding']);
    if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) throw tooLarge();
    const sent = await readAll(payload, hold, msMax);
    let grown = 0;
    const body = await decodeBody(sent, encodings, (bytes) => {
      if (!hold.take(bytes)) throw overloaded();
      grown += bytes;
    });
    hold.giveBack(sent.length + grown - body.length);
    return body;
  }
}

function readAll(payload: IncomingMessage, hold: Hold, msMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts = new BodyParts();
    const end = (settle: () => void): void => {
      clearTimeout(late);
      hold.whole();
      payload.removeListener('data', keep).removeListener('end', whole).removeListener('close', gone);
      settle();
    };
    const refuse = (error: Error): void => {
      end(() => {
        reject(error);
      });
    };
    const keep = (chunk: Buffer): void => {
      if (parts.bytes + chunk.length > bodyBytesMax) refuse(tooLarge());
      else if (!hold.take(chunk.length)) refuse(overloaded());
      else parts.add(chunk);
    };
    const whole = (): void => {
      end(() => {
        resolve(parts.whole());
      });
    };
    const gone = (): void => {
      refuse(new CodedError('body_cut_off', 'could not read the body: the connection ended within it'));
    };
    const late = setTimeout(() => {
      const message = `could not read the body: it was not whole after ${String(msMax / 1_000)} s`;
      refuse(new CodedError('body_too_late', message));
    }, msMax);
    payload.on('error', gone); // stays: an error that nobody hears would end the process
    payload.on('data', keep).on('end', whole).on('close', gone);
    hold.reading(() => {
      refuse(overloaded());
    });
    if (payload.destroyed) gone(); // it has closed before anybody listened
  });
}

function drained(payload: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(late);
      resolve();
    };
    const late = setTimeout(end, drainMsMax);
    if (payload.destroyed) end();
    payload.once('error', end).once('end', end).once('close', end);
    payload.resume();
  });
}

/**
 * Who has a share of its own: a known key from an address, or an address. The key of a page is anybody's, so it has nothing
 * of what the servers of its workspace may have.
 */
export function ownerOf(caller: Caller | undefined, address: string): Owner {
  if (caller === undefined) return { client: address, share: undefined };
  const workspace = caller.workspace ?? '(admin)';
  const share = caller.key?.kind === 'browser' ? `${workspace} (pages)` : workspace;
  return { client: `${address} ${share}`, share };
}

function overloaded(): CodedError {
  const message = 'could not take the body: too many are being read';
  return new CodedError('bodies_overloaded', message);
}
