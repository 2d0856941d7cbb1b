/**
 * Asserts that no lane's request is decided twice. Requests and positions commit together, so it cannot happen; if it
 * does, something is broken and the partition stops before a second answer confuses the lane. (A second claim or
 * resolve would change nothing: the graph has its facts already.)
 */
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assertState } from '../../runtime/errors.ts';
import { RecentMap } from '../../runtime/recent-map.ts';

/** Lanes in a generation; two are remembered, so at least this many lanes' last requests. */
const LANES_A_GENERATION = 10_000;

interface Asked {
  readonly number: number;
  readonly offset: number;
}

export class RequestMemory {
  readonly #asked = new RecentMap<string, Asked>(LANES_A_GENERATION);

  assertNew({ lane, request_number: number, source_offset: offset }: IdentityRequest): void {
    if (lane === null) return;
    const last = this.#asked.get(lane);
    const repeated = last?.number === number && last.offset === offset;
    assertState(!repeated, `request ${String(number)} of lane ${lane} is asked once`);
    this.#asked.set(lane, { number, offset });
  }
}
