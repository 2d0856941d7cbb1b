/**
 * Ingest, lanes and identity with nothing between them but lists: calls are acknowledged one after the other, and
 * everybody moves when told. For tests of the order between control calls and events only.
 */
import { controlMarker } from '../../../schemas/control-markers.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { laneKey, type Identifier } from '../../../schemas/lanes.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { collectedEvent } from '../collected-event.ts';
import { given, of, type ProcessorHarness } from '../processor-harness.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { everything, ListedMerger, type ListedLanes } from './listed-merger.ts';

const SHOP = toWorkspace('shop');
const PARTITIONS = 3;
const ROUNDS_MAX = 1_000;

interface LaneCall {
  readonly type: 'track' | 'identify';
  readonly visitor: string | null;
  readonly named: Identifier | null;
  /** Identify: a further identifier. */
  readonly email?: string | null;
}
export interface ControlCall {
  readonly type: 'merge' | 'delete' | 'suppress' | 'unsuppress';
  readonly named: Identifier;
  readonly other?: Identifier;
}
export type OrderedCall = LaneCall | ControlCall;

export class OrderWorld {
  readonly #merger = new ListedMerger(SHOP, PARTITIONS);
  time = 1_700_000_000_000;
  #calls = 0;
  #marked = 0;

  get lanes(): readonly ListedLanes[] {
    return this.#merger.lanes;
  }
  get identity(): ProcessorHarness {
    return this.#merger.identity;
  }

  /** The call is acknowledged. */
  take(call: OrderedCall): void {
    this.#calls += 1;
    if ('visitor' in call) this.#takeEvent(call);
    else this.takeAtOnce([call]);
  }

  /** Its markers are written, and then its gateway dies. */
  takeInVain(call: ControlCall): void {
    this.#mark([call]);
  }

  /** Several gateways take a control call each: every other partition has their markers in the opposite order. */
  takeAtOnce(calls: readonly ControlCall[]): void {
    for (const request of this.#mark(calls)) {
      this.#merger.requests.push(given('identityRequests', SHOP, request));
    }
  }

  /** One of what could happen next. */
  step(choice: number): void {
    const size = 1 + (choice % 3);
    const partition = (choice >> 2) % PARTITIONS;
    const how = (choice >> 4) % 8;
    if (how < 4) this.#runLanes(partition, how % 2 === 0 ? size : 0, how > 0 ? size : 0);
    else if (how < 6) this.#runIdentity(size);
    else if (how === 6) this.#merger.publish(partition, this.time);
    else if (choice % 2 === 0) this.identity.reopen();
    else this.#merger.of(partition).harness.reopen();
  }

  /** The partition of this lane, and identity, are ahead of the others. */
  hurry(lane: string): void {
    this.#merger.runLanes(partitionOf(lane, PARTITIONS), this.time, everything);
    this.#runIdentity(Infinity);
  }

  /** Everybody reads to the end. Watermarks only now and then: control calls need none but those of the lanes. */
  settle(): void {
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, 'the merger comes to rest');
      if (this.#merger.isAtRest()) return;
      for (let partition = 0; partition < PARTITIONS; partition += 1) this.#runLanes(partition, 3, 3);
      this.#runIdentity(5);
    }
  }

  /** Everybody reads all that is there, turn by turn. Returns how many turns it took until nothing was left. */
  turnsToRest(): number {
    for (let turn = 0; ; turn += 1) {
      assert(turn < ROUNDS_MAX, 'the merger comes to rest');
      if (this.#merger.isAtRest()) return turn;
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        this.#merger.runLanes(partition, this.time, everything);
      }
      this.#runIdentity(Infinity);
    }
  }

  /** `message: id of the person today`, in the order of the calls; nobody for who is gone. */
  story(): readonly string[] {
    const sent = this.lanes.flatMap(({ harness }) => of('eventsMerged', harness.outputs));
    return sent
      .map(({ value }) => `${value.event?.message_id ?? ''}: ${this.#today(value.person_id)}`)
      .sort((a, b) => parseInt(a) - parseInt(b));
  }
  dropped(): readonly string[] {
    return this.lanes
      .flatMap(({ harness }) => of('eventsDropped', harness.outputs))
      .map(({ value }) => `${value.message_id ?? ''}: ${value.reason}`)
      .sort((a, b) => parseInt(a) - parseInt(b));
  }
  get graph(): WorkspaceGraph {
    return new WorkspaceGraph(this.identity.stores.keyed, SHOP);
  }
  /** Requests that lanes made of one kind. */
  asked(kind: string): number {
    return this.lanes.flatMap(({ harness }) =>
      of('identityRequests', harness.outputs).filter(({ value }) => value.kind === kind),
    ).length;
  }

  #today(personId: string): string {
    let person = this.graph.person(personId);
    while (person?.absorbedInto != null) person = this.graph.person(person.absorbedInto);
    return person?.state === 'alive' ? (person.id ?? person.email ?? 'nameless') : 'nobody';
  }

  #takeEvent(call: LaneCall): void {
    this.time += 1;
    const { type, visitor, named, email = null } = call;
    const identifies = type === 'identify';
    const messageId = String(this.#calls);
    const key = laneKey(SHOP, { anonymousId: visitor, identifier: named, messageId });
    const event = collectedEvent({
      type: identifies ? 'identify' : 'event',
      workspace: SHOP,
      anonymous_id: visitor,
      identifier_kind: named?.kind ?? 'none',
      identifier: named?.value ?? null,
      id: identifies && named?.kind === 'id' ? named.value : null,
      email: identifies && named?.kind === 'email' ? named.value : email,
      message_id: messageId,
      received_at: this.time,
      timestamp: this.time,
    });
    this.#merger.write(partitionOf(key, PARTITIONS), given('eventsCollected', key, event));
  }

  #mark(calls: readonly ControlCall[]): readonly IdentityRequest[] {
    const requests = calls.map((call) => {
      this.#marked += 1;
      this.time += 1;
      return { ...controlRequest(call, this.#marked, this.time), positions: this.lanes.map(() => 0) };
    });
    for (const partition of this.lanes.keys()) {
      for (const request of partition % 2 === 0 ? requests : [...requests].reverse()) {
        const marker = controlMarker(request, request.request_number);
        request.positions[partition] = this.#merger.write(partition, given('eventsCollected', SHOP, marker));
      }
    }
    return requests;
  }

  #runLanes(partition: number, events: number, decisions: number): void {
    this.#merger.runLanes(partition, this.time, { events, decisions });
  }

  #runIdentity(count: number): void {
    this.#merger.runIdentity(this.time, count);
  }
}

function controlRequest(
  { type, named, other }: ControlCall,
  number: number,
  receivedAt: number,
): IdentityRequest {
  return identityRequest({
    kind: type,
    workspace: SHOP,
    received_at: receivedAt,
    request_number: number,
    identifier_kind: named.kind,
    identifier: named.value,
    other_kind: other?.kind ?? 'none',
    other: other?.value ?? null,
    message_id: String(number),
  });
}
