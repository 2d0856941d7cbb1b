/**
 * Ingest, lanes and identity in miniature, to meet each other in any order: calls are acknowledged one after the other,
 * lanes ask one request at a time each, decisions and watermarks travel at their own pace. Tests only.
 */
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { given } from '../processor-harness.ts';
import { replies, type Scenario } from '../scenarios/identity-scenario.ts';

/** A call as a client sends it; a claim goes into the lane of its anonymous id, a control call straight to identity. */
export type SimulatedCall =
  | {
      readonly type: 'claim';
      readonly anonymousId: string;
      readonly partition: number;
      readonly id: string;
      readonly email: string | null;
    }
  | { readonly type: 'control'; readonly request: Partial<IdentityRequest> & Pick<IdentityRequest, 'kind'> };

type Claim = Extract<SimulatedCall, { type: 'claim' }>;

interface LanePartition {
  /** events.collected. */
  readonly records: Claim[];
  /** Read so far. */
  read: number;
  /** Offsets read whose effect is not whole yet, by anonymous id, oldest first; the first of each has been asked. */
  readonly waiting: Map<string, number[]>;
  readonly decisions: string[];
}

export class LaneSimulation {
  readonly #scenario: Scenario;
  readonly #calls: readonly SimulatedCall[];
  readonly #partitions: LanePartition[];
  readonly #requests: IdentityRequest[] = [];
  readonly #slowIngest: boolean;
  /** Control calls whose positions are taken and that are not on identity.requests yet. */
  readonly #underWay: IdentityRequest[] = [];
  #sent = 0;

  /**
   * @param slowIngest control calls of several ingest processes at once: each takes its positions, and reaches identity
   * at some later time, in any order. Its caller has no answer until then.
   */
  constructor(
    scenario: Scenario,
    calls: readonly SimulatedCall[],
    { partitions, slowIngest = false }: { readonly partitions: number; readonly slowIngest?: boolean },
  ) {
    this.#slowIngest = slowIngest;
    this.#scenario = scenario;
    this.#calls = calls;
    this.#partitions = Array.from({ length: partitions }, () => ({
      records: [],
      read: 0,
      waiting: new Map<string, number[]>(),
      decisions: [],
    }));
  }

  /** One of everything that could happen next, chosen by a number. False when nothing can. */
  step(choice: number): boolean {
    const possible = [...this.#moves()];
    const move = possible[choice % Math.max(possible.length, 1)];
    move?.();
    return move !== undefined;
  }

  /** Everybody catches up, and says so. */
  drain(): void {
    for (let round = 0; ; round += 1) {
      assert(round < 10_000, 'the simulation comes to rest');
      if (this.step(0)) continue;
      this.#partitions.forEach((_, partition) => {
        this.#publish(partition);
      });
      this.#deliver(this.#requests.length);
      if (![...this.#moves()].length) return;
    }
  }

  *#moves(): Generator<() => void> {
    if (this.#sent < this.#calls.length)
      yield () => {
        this.#ingest();
      };
    if (this.#requests.length > 0)
      yield () => {
        this.#deliver(1);
      };
    if (this.#requests.length > 1)
      yield () => {
        this.#deliver(3);
      };
    for (const [index, request] of this.#underWay.entries()) {
      yield () => {
        this.#underWay.splice(index, 1);
        this.#requests.push(request);
      };
    }
    for (const [index, partition] of this.#partitions.entries()) {
      if (partition.read < partition.records.length)
        yield () => {
          this.#read(index);
        };
      if (partition.decisions.length > 0)
        yield () => {
          this.#takeDecision(index);
        };
    }
  }

  /** As often as it likes; not a move, or a run would never end. */
  publish(choice: number): void {
    this.#publish(choice % this.#partitions.length);
  }

  #ingest(): void {
    const call = this.#calls[this.#sent];
    this.#sent += 1;
    if (call?.type === 'claim') this.#partition(call.partition).records.push(call);
    else if (call !== undefined) {
      const positions = this.#partitions.map(({ records }) => records.length);
      const request = this.#scenario.request({ ...call.request, positions });
      (this.#slowIngest ? this.#underWay : this.#requests).push(request);
    }
  }

  #read(index: number): void {
    const partition = this.#partition(index);
    const offset = partition.read;
    partition.read += 1;
    const { anonymousId } = this.#record(index, offset);
    const waiting = partition.waiting.get(anonymousId);
    if (waiting !== undefined) waiting.push(offset);
    else {
      partition.waiting.set(anonymousId, [offset]);
      this.#ask(index, offset);
    }
  }

  #ask(index: number, offset: number): void {
    const { anonymousId, id, email } = this.#record(index, offset);
    const path = { kind: 'id', value: id } as const;
    const at = { source_partition: index, source_offset: offset };
    this.#requests.push(
      this.#scenario.claimRequest({ anonymousId, path, ...(email !== null && { email }) }, at),
    );
  }

  #takeDecision(index: number): void {
    const partition = this.#partition(index);
    const anonymousId = partition.decisions.shift() ?? '';
    const waiting = partition.waiting.get(anonymousId);
    assert(waiting !== undefined, 'a lane is answered that asked');
    waiting.shift();
    const [next] = waiting;
    if (next === undefined) partition.waiting.delete(anonymousId);
    else this.#ask(index, next);
  }

  #publish(index: number): void {
    const { read, waiting } = this.#partition(index);
    const offset = Math.min(read, ...[...waiting.values()].map(([first]) => first ?? read));
    this.#requests.push(
      this.#scenario.request({ kind: 'watermark', source_partition: index, source_offset: offset }),
    );
  }

  #deliver(count: number): void {
    const records = this.#requests.splice(0, count);
    const inputs = records.map((request) => given('identityRequests', request.workspace, request));
    for (const { lane } of replies(this.#scenario.harness.batch(this.#scenario.now, ...inputs))) {
      const anonymousId = lane?.split(':')[2] ?? '';
      const index = this.#partitions.findIndex(({ waiting }) => waiting.has(anonymousId));
      this.#partition(index).decisions.push(anonymousId);
    }
  }

  #partition(index: number): LanePartition {
    const partition = this.#partitions[index];
    assert(partition !== undefined, `partition ${String(index)} is simulated`);
    return partition;
  }

  #record(index: number, offset: number): Claim {
    const record = this.#partition(index).records[offset];
    assert(record !== undefined, `offset ${String(offset)} was written`);
    return record;
  }
}
