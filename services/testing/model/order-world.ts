/**
 * Ingest, lanes and identity with nothing between them but lists: calls are acknowledged one after the other, and
 * everybody moves when told. For tests of the order between control calls and events only.
 */
import { localCodecs } from '../../../schemas/codec.ts';
import { controlMarker } from '../../../schemas/control-markers.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { laneKey, type Identifier } from '../../../schemas/lanes.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { collectedEvent } from '../collected-event.ts';
import { given, of, ProcessorHarness, type Given } from '../processor-harness.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { identityService } from '../../identity/service.ts';
import { lanesService } from '../../merger/service.ts';

const SHOP = toWorkspace('shop');
const PARTITIONS = 3;
const ROUNDS_MAX = 1_000;
const codecs = localCodecs();

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

interface Partition {
  readonly harness: ProcessorHarness;
  readonly events: Given[];
  readonly decisions: Given[];
  written: number;
  handled: number;
}

export class OrderWorld {
  readonly identity = new ProcessorHarness(identityService, {
    codecs,
    partitions: PARTITIONS,
    partition: partitionOf(SHOP, PARTITIONS),
  });
  readonly lanes: readonly Partition[] = Array.from({ length: PARTITIONS }, (_, partition) => ({
    harness: new ProcessorHarness(lanesService, { codecs, partitions: PARTITIONS, partition }),
    events: [],
    decisions: [],
    written: 0,
    handled: 0,
  }));
  time = 1_700_000_000_000;
  #requests: Given[] = [];
  #calls = 0;
  #marked = 0;

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
      this.#requests.push(given('identityRequests', SHOP, request));
    }
  }

  /** One of what could happen next. */
  step(choice: number): void {
    const size = 1 + (choice % 3);
    const partition = (choice >> 2) % PARTITIONS;
    const how = (choice >> 4) % 8;
    if (how < 4) this.#runLanes(partition, how % 2 === 0 ? size : 0, how > 0 ? size : 0);
    else if (how < 6) this.#runIdentity(size);
    else if (how === 6) this.#publish(partition);
    else if (choice % 2 === 0) this.identity.reopen();
    else this.#partition(partition).harness.reopen();
  }

  /** The partition of this lane, and identity, are ahead of the others. */
  hurry(lane: string): void {
    this.#runLanes(partitionOf(lane, PARTITIONS), ROUNDS_MAX, ROUNDS_MAX);
    this.#runIdentity(ROUNDS_MAX);
  }

  /** Everybody reads to the end. Watermarks only now and then: control calls need none but those of the lanes. */
  settle(): void {
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, 'the merger comes to rest');
      if (this.#isAtRest()) return;
      for (let partition = 0; partition < PARTITIONS; partition += 1) this.#runLanes(partition, 3, 3);
      this.#runIdentity(5);
    }
  }

  /** Everybody reads all that is there, turn by turn. Returns how many turns it took until nothing was left. */
  turnsToRest(): number {
    for (let turn = 0; ; turn += 1) {
      assert(turn < ROUNDS_MAX, 'the merger comes to rest');
      if (this.#isAtRest()) return turn;
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        this.#runLanes(partition, ROUNDS_MAX, ROUNDS_MAX);
      }
      this.#runIdentity(ROUNDS_MAX * 10);
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

  #isAtRest(): boolean {
    const lanes = this.lanes.every(
      ({ events, decisions, harness }) =>
        events.length + decisions.length === 0 && harness.processor.status().unsettled === 0,
    );
    return lanes && this.#requests.length === 0 && this.identity.processor.status().unsettled === 0;
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
    this.#write(partitionOf(key, PARTITIONS), given('eventsCollected', key, event));
  }

  /** Returns one past the record. */
  #write(partition: number, record: Given): number {
    const to = this.#partition(partition);
    to.events.push(record);
    return (to.written += 1);
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
        request.positions[partition] = this.#write(partition, given('eventsCollected', SHOP, marker));
      }
    }
    return requests;
  }

  #runLanes(index: number, events: number, decisions: number): void {
    const partition = this.#partition(index);
    const taken = [...partition.decisions.splice(0, decisions), ...partition.events.splice(0, events)];
    partition.handled = partition.written - partition.events.length;
    const out = partition.harness.batch(this.time, ...taken);
    for (const { key, bytes } of of('identityRequests', out)) {
      this.#requests.push({ topic: 'identityRequests', key, bytes });
    }
  }

  #runIdentity(count: number): void {
    const out = this.identity.batch(this.time, ...this.#requests.splice(0, count));
    for (const { partition, key, bytes } of of('identityDecisions', out)) {
      this.#partition(partition).decisions.push({ topic: 'identityDecisions', key, bytes });
    }
  }

  #publish(index: number): void {
    const { harness, handled } = this.#partition(index);
    const offset = harness.processor.pendingSince()?.offset ?? handled;
    const marks = lanesService.watermarks?.encode(index, { time: this.time, offset }, codecs) ?? [];
    for (const { topic, value } of marks) {
      if (topic === 'identityRequests') this.#requests.push({ topic, key: '', bytes: Buffer.from(value) });
    }
  }

  #partition(index: number): Partition {
    const partition = this.lanes[index];
    assert(partition !== undefined, `there is a lane partition ${String(index)}`);
    return partition;
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
