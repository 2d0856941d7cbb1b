/**
 * Asserts that no lane's request is decided twice. Requests and positions commit together, so it cannot happen; if it
 * does, something is broken and the partition stops before a second answer confuses the lane. (A second claim or
 * resolve would change nothing: the graph has its facts already.)
 */
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';

/** Lanes whose last request is remembered. */
const LANES_MAX = 20_000;

export class RequestMemory {
  readonly #last = new Map<string, { readonly number: number; readonly offset: number }>();

  assertNew({ lane, request_number: number, source_offset: offset }: IdentityRequest): void {
    if (lane === null) return;
    const last = this.#last.get(lane);
    const repeated = last?.number === number && last.offset === offset;
    assert(!repeated, `request ${String(number)} of lane ${lane} is asked once`);
    this.#last.delete(lane); // to the young end
    this.#last.set(lane, { number, offset });
    if (this.#last.size <= LANES_MAX) return;
    for (const oldest of this.#last.keys()) {
      this.#last.delete(oldest);
      break;
    }
  }
}
