/**
 * Calls of servers whose body has come whole, together with their head, as nearly all do. Nobody has to be waited for, so
 * they need nothing of what a framework does for a request that comes in parts; that costs more than the call itself.
 * They are judged, kept, answered and seen by the functions of the ordinary way (pipelines-routes.ts, door-watch.ts),
 * which has all the others: other routes, a key in the body or none that is known, a key that calls too fast.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import type { PlainAnswer } from './answers.ts';
import { pipelinesKey } from './authenticate.ts';
import { faultOf, type Watch } from './door-watch.ts';
import { readJson } from './json-text.ts';
import { answerTo, CALLS } from './pipelines-routes.ts';
import { callContext, type IngestRoutes } from './request.ts';
import { sightings, type Taken } from './sightings.ts';

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
    answer: async (whole, body, broken) => {
      const { type, key, workspace, isStrict } = whole;
      let taken: Taken | undefined;
      let answer: PlainAnswer;
      try {
        const parts = { workspace, receivedAt: Date.now(), source: `pipelines.${type}` };
        const call = callContext(options, parts, key);
        const read = readJson(body, { lenient: !isStrict });
        answer = await answerTo(options, { call, key, type, read, isStrict }, (what) => {
          taken = what;
        });
      } catch (error) {
        answer = broken(error);
      }
      const { status } = answer;
      const fault = faultOf(status, answer.body);
      const route = `POST /v1/${type}`;
      watch.saw(sightings({ at: Date.now(), workspace, key: key.id, route, status, fault }, taken));
      return answer;
    },
  };
}
