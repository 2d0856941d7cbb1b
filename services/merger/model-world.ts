/**
 * The merger whole, without a broker: lane partitions and identity as they are, topics as lists, and a schedule that
 * says who moves next and who dies. For the model test only.
 */
import { localCodecs } from '../../schemas/codec.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { Activity, IdentityDecision, IdentityRequest, MergedEvent } from '../../schemas/records.ts';
import { assert } from '../runtime/errors.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { given, of, ProcessorHarness, type Given, type Output } from '../testing/processor-harness.ts';
import { identityService } from './identity/service.ts';
import { lanesService } from './lanes/service.ts';
import { isLaneCall, keyOf, type Call, type ControlCall, type LaneCall } from './model-oracle.ts';

export const WORKSPACE = toWorkspace('shop');
const PARTITIONS = 2;
const ROUNDS_MAX = 2_000;
const codecs = localCodecs();

interface LanePartition {
  readonly harness: ProcessorHarness;
  readonly events: Given[];
  readonly decisions: Given[];
  handled: number;
}

export class World {
  readonly lanes: readonly LanePartition[];
  readonly identity = new ProcessorHarness(identityService, {
    codecs,
    partitions: PARTITIONS,
    partition: partitionOf(WORKSPACE, PARTITIONS),
  });
  readonly #requests: Given[] = [];
  #time = 0;

  constructor() {
    this.lanes = Array.from({ length: PARTITIONS }, (_, partition) => ({
      harness: new ProcessorHarness(lanesService, { codecs, partitions: PARTITIONS, partition }),
      events: [],
      decisions: [],
      handled: 0,
    }));
  }

  /** The call is acknowledged: an event lies in its lane's partition, a control call goes straight to identity. */
  ingest(call: Call): void {
    this.#time = Math.max(this.#time, call.receivedAt);
    if (isLaneCall(call)) {
      this.#lane(partitionOf(call.lane, PARTITIONS)).events.push(eventOf(call));
    } else this.#requests.push(given('identityRequests', WORKSPACE, this.#control(call)));
  }

  /** One of what could happen next. */
  step(choice: number): void {
    const size = 1 + (choice % 4);
    const partition = (choice >> 2) % PARTITIONS;
    switch ((choice >> 3) % 5) {
      case 0:
      case 1:
        this.#runLanes(partition, { events: size, decisions: size, decisionsFirst: choice % 2 === 0 });
        break;
      case 2:
        this.#runIdentity(size);
        break;
      case 3:
        this.#publishWatermark(partition);
        break;
      default:
        if (choice % 3 === 0) this.identity.reopen();
        else this.#lane(partition).harness.reopen();
    }
  }

  /** Everybody reads to the end and says so, until nothing is left to do. */
  settle(): void {
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, 'the merger comes to rest');
      const rest = this.lanes.every(({ events, decisions }) => events.length + decisions.length === 0);
      if (rest && this.#requests.length === 0 && this.#unsettled() === 0) return;
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        this.#runLanes(partition, { events: 5, decisions: 5, decisionsFirst: round % 2 === 0 });
        this.#publishWatermark(partition);
      }
      this.#runIdentity(10);
    }
  }

  merged(): readonly MergedEvent[] {
    return this.lanes.flatMap(({ harness }) => of('eventsMerged', harness.outputs).map(({ value }) => value));
  }
  activities(): readonly Activity[] {
    return this.lanes.flatMap(({ harness }) =>
      of('activitiesLogged', harness.outputs).map(({ value }) => value),
    );
  }
  dropped(): readonly string[] {
    return this.lanes.flatMap(({ harness }) =>
      of('eventsDropped', harness.outputs).map(
        ({ key, value }) => `${key} ${value.reason} ${value.message_id ?? ''}`,
      ),
    );
  }
  /** Who a person of events.merged is in the end; null when deleted. */
  personToday(personId: string): string | null {
    let current = personId;
    for (const news of this.#news()) {
      if (news.person_id !== current) continue;
      if (news.kind === 'deleted') return null;
      if (news.kind === 'absorbed') current = news.other_person_id ?? current;
    }
    return current;
  }

  #news(): readonly IdentityDecision[] {
    return of('identityDecisions', this.identity.outputs)
      .filter(({ partition }) => partition === 0)
      .map(({ value }) => value);
  }

  #unsettled(): number {
    const lanes = this.lanes.reduce((sum, { harness }) => sum + harness.processor.status().unsettled, 0);
    return lanes + this.identity.processor.status().unsettled;
  }

  #runLanes(
    partition: number,
    take: { readonly events: number; readonly decisions: number; readonly decisionsFirst: boolean },
  ): void {
    const lane = this.#lane(partition);
    const decisions = lane.decisions.splice(0, take.decisions);
    const events = lane.events.splice(0, take.events);
    lane.handled += events.length;
    const records = take.decisionsFirst ? [...decisions, ...events] : [...events, ...decisions];
    const out = lane.harness.batch(this.#time, ...records);
    this.#requests.push(...forward('identityRequests', out));
  }

  #runIdentity(count: number): void {
    const out = this.identity.batch(this.#time, ...this.#requests.splice(0, count));
    for (const [partition, { decisions }] of this.lanes.entries()) {
      decisions.push(
        ...forward(
          'identityDecisions',
          out.filter((each) => each.partition === partition),
        ),
      );
    }
  }

  #publishWatermark(partition: number): void {
    const { harness, handled } = this.#lane(partition);
    const offset = harness.processor.pendingSince()?.offset ?? handled;
    for (const { topic, value } of lanesService.watermarks?.encode(
      partition,
      { time: this.#time, offset },
      codecs,
    ) ?? []) {
      if (topic === 'identityRequests') this.#requests.push({ topic, key: '', bytes: Buffer.from(value) });
    }
  }

  #control(call: ControlCall): IdentityRequest {
    const named = call.type === 'merge' ? call.primary : call.named;
    const other: Identifier | null = call.type === 'merge' ? call.secondary : null;
    return {
      kind: call.type,
      workspace: WORKSPACE,
      received_at: call.receivedAt,
      lane: null,
      request_number: 0,
      source_partition: null,
      source_offset: -1,
      positions: this.lanes.map(({ handled, events }) => handled + events.length),
      anonymous_id: null,
      identifier_kind: named.kind,
      identifier: named.value,
      id: null,
      email: null,
      cio_id: null,
      update_only: false,
      message_id: `control ${keyOf(named)}`,
      other_kind: other?.kind ?? 'none',
      other: other?.value ?? null,
      detail: null,
    };
  }

  #lane(partition: number): LanePartition {
    const lane = this.lanes[partition];
    assert(lane !== undefined, `there is a lane partition ${String(partition)}`);
    return lane;
  }
}

function eventOf(call: LaneCall): Given {
  const identifiers = [call.named, call.type === 'identify' ? call.also : null];
  const of = (kind: Identifier['kind']): string | null =>
    identifiers.find((identifier) => identifier?.kind === kind)?.value ?? null;
  const event = collectedEvent({
    workspace: WORKSPACE,
    type: call.type,
    anonymous_id: call.visitor,
    message_id: call.messageId,
    received_at: call.receivedAt,
    timestamp: call.timestamp,
    identifier_kind: call.named?.kind ?? 'none',
    identifier: call.named?.value ?? null,
    ...(call.type === 'identify' && { id: of('id'), email: of('email'), name: null }),
  });
  return given('eventsCollected', call.lane, event);
}

function forward(topic: 'identityRequests' | 'identityDecisions', outputs: readonly Output[]): Given[] {
  return outputs.filter((output) => output.topic === topic).map(({ key, bytes }) => ({ topic, key, bytes }));
}
