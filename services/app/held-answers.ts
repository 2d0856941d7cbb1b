/**
 * Answers that wait to be read by who asked. A large one stays in memory until its reader has taken it, so callers who ask
 * and do not read would fill it: a workspace, and all together, may have so many bytes of them, and each so much time.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CodedError } from '../runtime/errors.ts';
import { workspaceOf } from './answers.ts';
import type { AppKeys } from './ports.ts';

export interface HeldAnswersLimits {
  readonly workspaceBytesMax: number;
  readonly bytesMax: number;
  /** Until the reader has all of it. */
  readonly readMsMax: number;
}
export const heldAnswersUsual: HeldAnswersLimits = {
  workspaceBytesMax: 64 * 1_024 * 1_024,
  bytesMax: 256 * 1_024 * 1_024,
  readMsMax: 120_000,
};
/** Smaller ones are bounded by the number of connections. */
const smallBytesMax = 16 * 1_024;

export function holdAnswers(
  app: FastifyInstance,
  keys: Pick<AppKeys, 'app'>,
  limits: HeldAnswersLimits = heldAnswersUsual,
): void {
  const held = new HeldAnswers(limits);
  app.addHook('onSend', (request: FastifyRequest, reply: FastifyReply, payload: unknown, done) => {
    const bytes = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    if (bytes <= smallBytesMax || held.take(workspaceOf(keys, request) ?? '', bytes, reply)) {
      done(null, payload);
      return;
    }
    const message = 'could not answer: answers of this workspace that nobody has read take too much memory';
    done(new CodedError('answers_unread', message));
  });
}

class HeldAnswers {
  readonly #limits: HeldAnswersLimits;
  readonly #ofWorkspace = new Map<string, number>();
  #bytes = 0;

  constructor(limits: HeldAnswersLimits) {
    this.#limits = limits;
  }

  /** False: there is no room. One alone always has it. */
  take(workspace: string, bytes: number, { raw }: FastifyReply): boolean {
    const { workspaceBytesMax, bytesMax, readMsMax } = this.#limits;
    const own = this.#ofWorkspace.get(workspace) ?? 0;
    if (own > 0 && (own + bytes > workspaceBytesMax || this.#bytes + bytes > bytesMax)) return false;
    this.#add(workspace, bytes);
    const late = setTimeout(() => raw.destroy(), readMsMax);
    late.unref();
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(late);
      this.#add(workspace, -bytes);
    };
    raw.once('finish', end);
    raw.once('close', end);
    return true;
  }

  #add(workspace: string, bytes: number): void {
    this.#bytes += bytes;
    const own = (this.#ofWorkspace.get(workspace) ?? 0) + bytes;
    if (own > 0) this.#ofWorkspace.set(workspace, own);
    else this.#ofWorkspace.delete(workspace);
  }
}
