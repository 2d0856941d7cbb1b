/**
 * Calls of servers whose body has come whole, together with their head, as nearly all do. Nobody has to be waited for, so
 * they need nothing of what a framework does for a request that comes in parts; that costs more than the call itself.
 * They are judged, kept, answered and seen by the functions of the ordinary way (pipelines-routes.ts, door-watch.ts),
 * which has all the others: other routes, a key in the body or none that is known, a key that calls too fast.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import type { Sighting } from '../runtime/sighting.ts';
import type { PlainAnswer } from './answers.ts';
import { pipelinesKey } from './authenticate.ts';
import { faultOf, type Watch } from './door-watch.ts';
import { readJson } from './json-text.ts';
import { answerTo, CALLS } from './pipelines-routes.ts';
import { callContext, type IngestRoutes } from './request.ts';
import { foreseen, sightings, type Answer, type Taken } from './sightings.ts';

/** The head of a call that may be answered without more ado. */
export interface WholeCall {
  readonly type: string;
  readonly key: KnownKey;
  readonly workspace: Workspace;
  readonly isStrict: boolean;
}

export interface WholeCalls {
  has(path: string | undefined): boolean;
  /** undefined: it goes the ordinary way. */
  open(path: string, headers: IncomingHttpHeaders): WholeCall | undefined;
  /** false: its key calls too fast, and nothing is charged; else a call and so many bytes are. */
  charge(call: WholeCall, bytes: number): boolean;
  /** Resolves when what is taken of it is kept. @param broken what is answered when that cannot be. */
  answer(call: WholeCall, body: Buffer, broken: (error: unknown) => PlainAnswer): Promise<PlainAnswer>;
}

const TYPES: ReadonlyMap<string, string> = new Map(CALLS.map(([type]) => [`/v1/${type}`, type]));

export function wholeCalls(options: IngestRoutes, watch: Watch): WholeCalls {
  return {
    has: (path) => path !== undefined && TYPES.has(path),
    open: (path, headers) => {
      const type = TYPES.get(path);
      const key = pipelinesKey(options.keys, headers.authorization);
      if (type === undefined || key === undefined || key.workspace === null) return undefined;
      return { type, key, workspace: key.workspace, isStrict: headers['x-strict-mode'] === '1' };
    },
    charge: ({ key }, bytes) => {
      if (options.limits.limited(key) !== undefined) return false;
      options.limits.charge(key, { calls: 0, bytes });
      return true;
    },
    answer: (whole, body, broken) => {
      const seeing = new Seeing(whole);
      const answered = (answer: PlainAnswer): PlainAnswer => {
        watch.saw(seeing.of(answer));
        return answer;
      };
      const failed = (error: unknown): PlainAnswer => answered(broken(error));
      try {
        return judged(options, whole, { body, seeing }).then(answered, failed);
      } catch (error) {
        return Promise.resolve(failed(error));
      }
    },
  };
}

/** Nothing of the request may be held here that its answer does not need: it may wait for long, with many others. */
class Seeing {
  readonly #answer: Omit<Answer, 'at' | 'status' | 'fault'>;
  #foreseen: ((answer: Answer) => readonly Sighting[]) | undefined;

  constructor({ type, key, workspace }: WholeCall) {
    this.#answer = { workspace, key: key.id, route: `POST /v1/${type}` };
  }

  /** Told before it is answered. */
  taken(what: Taken): void {
    this.#foreseen = foreseen({ ...this.#answer, at: Date.now(), status: 200, fault: undefined }, what);
  }

  of({ status, body }: PlainAnswer): readonly Sighting[] {
    const answer = { ...this.#answer, at: Date.now(), status, fault: faultOf(status, body) };
    return this.#foreseen?.(answer) ?? sightings(answer, undefined);
  }
}

interface Judging {
  readonly body: Buffer;
  readonly seeing: Seeing;
}

function judged(
  options: IngestRoutes,
  { type, key, workspace, isStrict }: WholeCall,
  { body, seeing }: Judging,
): Promise<PlainAnswer> {
  const parts = { workspace, receivedAt: Date.now(), source: `pipelines.${type}` };
  const call = callContext(options, parts, key);
  const read = readJson(body, { lenient: !isStrict });
  return answerTo(options, { call, key, type, read, isStrict }, (what) => {
    seeing.taken(what);
  });
}
