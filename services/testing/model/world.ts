/**
 * The merger whole, without a broker: lane partitions and identity as they are, topics as lists, and a schedule that
 * says who moves next and who dies. For the model test only.
 */
import { localCodecs } from '../../../schemas/codec.ts';
import { controlMarker } from '../../../schemas/control-markers.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { Activity, IdentityFact, IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { given, of, ProcessorHarness, type Given, type Output } from '../processor-harness.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { identityService } from '../../identity/service.ts';
import { lanesService } from '../../merger/service.ts';
import { isLaneCall, type Call, type ControlCall, type SettingsCall } from './calls.ts';
import { personAtEnd, type Told, type WorldEvent } from './told.ts';
import { eventOf, requestOf } from './wire.ts';

export const WORKSPACE = toWorkspace('shop');
const PARTITIONS = 2;
const ROUNDS_MAX = 2_000;
const IDLE_ROUNDS = 10;
/** The clock goes on while nothing else does: identity gives up a control call that never came by it. */
const IDLE_MS = 5_000;
const codecs = localCodecs();

interface LanePartition {
  readonly harness: ProcessorHarness;
  readonly events: Given[];
  readonly decisions: Given[];
  handled: number;
}

export class World implements Told {
  readonly workspace = WORKSPACE;
  readonly lanes: readonly LanePartition[];
  readonly identity = new ProcessorHarness(identityService, {
    codecs,
    partitions: PARTITIONS,
    partition: partitionOf(WORKSPACE, PARTITIONS),
  });
  readonly merged: WorldEvent[] = [];
  /** identity.log. */
  readonly facts: IdentityFact[] = [];
  readonly #requests: Given[] = [];
  #time = 0;
  #controls = 0;

  constructor() {
    this.lanes = Array.from({ length: PARTITIONS }, (_, partition) => ({
      harness: new ProcessorHarness(lanesService, { codecs, partitions: PARTITIONS, partition }),
      events: [],
      decisions: [],
      handled: 0,
    }));
  }

  /**
   * The call is acknowledged: an event lies in its lane's partition, a control call goes straight to identity once each
   * lane partition has its marker.
   */
  ingest(call: Exclude<Call, SettingsCall>): void {
    this.#time = Math.max(this.#time, call.receivedAt);
    if (isLaneCall(call)) {
      this.#lane(partitionOf(call.lane, PARTITIONS)).events.push(
        given('eventsCollected', call.lane, eventOf(call, WORKSPACE)),
      );
      return;
    }
    this.#controls += 1;
    const marker = controlMarker(
      {
        workspace: WORKSPACE,
        kind: call.type === 'lost' ? 'delete' : call.type,
        received_at: call.receivedAt,
      },
      this.#controls,
    );
    for (const { events } of this.lanes) events.push(given('eventsCollected', WORKSPACE, marker));
    if (call.type === 'lost') return; // its gateway died before it sent the call, and has told nobody
    this.#requests.push(given('identityRequests', WORKSPACE, this.#control(call)));
  }

  /** In force from the next batch of identity on. */
  define({ settings }: SettingsCall): void {
    this.identity.define('workspace', WORKSPACE, WORKSPACE, settings);
  }

  /** One of what could happen next. */
  step(choice: number): void {
    const size = 1 + (choice % 4);
    const partition = (choice >> 2) % PARTITIONS;
    switch ((choice >> 3) % 6) {
      case 0:
      case 1:
        this.#runLanes(partition, { events: size, decisions: size, decisionsFirst: choice % 2 === 0 });
        break;
      case 2:
      case 3:
        this.#runIdentity(size);
        break;
      case 4:
        this.#publishWatermark(partition);
        break;
      default:
        this.#restart(choice % 3 === 0 ? this.identity : this.#lane(partition).harness, (choice >> 6) % 3);
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
      if (round > IDLE_ROUNDS) this.#time += IDLE_MS;
    }
  }

  activities(): readonly Activity[] {
    return this.lanes.flatMap(({ harness }) =>
      of('activitiesLogged', harness.outputs).map(({ value }) => value),
    );
  }
  dropped(): readonly string[] {
    return [...this.lanes.map(({ harness }) => harness), this.identity].flatMap((harness) =>
      of('eventsDropped', harness.outputs).map(
        ({ key, value }) => `${key} ${value.reason} ${value.message_id ?? ''}`,
      ),
    );
  }

  /** The graph as identity's store has it now. */
  get graph(): WorkspaceGraph {
    return new WorkspaceGraph(this.identity.stores.keyed, WORKSPACE);
  }

  /** Whose a merged event is in the end; null when deleted. */
  personToday(event: WorldEvent): string | null {
    return personAtEnd(this.facts, event);
  }

  /** 0: stopped in order; 1: killed; 2: goes on, with what it has so far on the disk. */
  #restart(harness: ProcessorHarness, how: number): void {
    if (how === 0) harness.reopen();
    else if (how === 1) harness.crash();
    else harness.flush();
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
    for (const { value } of of('eventsMerged', out)) {
      if (value.event === null) continue;
      this.merged.push({ merged: value, event: value.event });
    }
  }

  #runIdentity(count: number): void {
    const out = this.identity.batch(this.#time, ...this.#requests.splice(0, count));
    this.facts.push(...of('identityLog', out).map(({ value }) => value));
    for (const [partition, { decisions }] of this.lanes.entries()) {
      const theirs = out.filter((each) => each.partition === partition);
      decisions.push(...forward('identityDecisions', theirs));
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
    return {
      ...requestOf(call, WORKSPACE),
      request_number: this.#controls,
      positions: this.lanes.map(({ handled, events }) => handled + events.length),
    };
  }

  #lane(partition: number): LanePartition {
    const lane = this.lanes[partition];
    assert(lane !== undefined, `there is a lane partition ${String(partition)}`);
    return lane;
  }
}

function forward(topic: 'identityRequests' | 'identityDecisions', outputs: readonly Output[]): Given[] {
  return outputs.filter((output) => output.topic === topic).map(({ key, bytes }) => ({ topic, key, bytes }));
}
