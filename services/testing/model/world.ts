/**
 * The merger whole, without a broker: lane partitions and identity as they are, topics as lists, and a schedule that
 * says who moves next and who dies. For the model test only.
 */
import { controlMarker } from '../../../schemas/control-markers.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { Activity, IdentityFact, IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { given, of, type ProcessorHarness } from '../processor-harness.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { isLaneCall, type Call, type ControlCall, type SettingsCall } from './calls.ts';
import { ListedMerger, type ListedLanes, type Reading } from './listed-merger.ts';
import { personAtEnd, type Told, type WorldEvent } from './told.ts';
import { eventOf, requestOf } from './wire.ts';

export const WORKSPACE = toWorkspace('shop');
const PARTITIONS = 2;
const ROUNDS_MAX = 2_000;
const IDLE_ROUNDS = 10;
/** The clock goes on while nothing else does: identity gives up a control call that never came by it. */
const IDLE_MS = 5_000;

export class World implements Told {
  readonly workspace = WORKSPACE;
  readonly #merger = new ListedMerger(WORKSPACE, PARTITIONS);
  readonly merged: WorldEvent[] = [];
  /** identity.log. */
  readonly facts: IdentityFact[] = [];
  #time = 0;
  #controls = 0;

  get lanes(): readonly ListedLanes[] {
    return this.#merger.lanes;
  }
  get identity(): ProcessorHarness {
    return this.#merger.identity;
  }

  /**
   * The call is acknowledged: an event lies in its lane's partition, a control call goes straight to identity once each
   * lane partition has its marker.
   */
  ingest(call: Exclude<Call, SettingsCall>): void {
    this.#time = Math.max(this.#time, call.receivedAt);
    if (isLaneCall(call)) {
      const event = given('eventsCollected', call.lane, eventOf(call, WORKSPACE));
      this.#merger.write(partitionOf(call.lane, PARTITIONS), event);
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
    for (const partition of this.lanes.keys()) {
      this.#merger.write(partition, given('eventsCollected', WORKSPACE, marker));
    }
    if (call.type === 'lost') return; // its gateway died before it sent the call, and has told nobody
    this.#merger.requests.push(given('identityRequests', WORKSPACE, this.#control(call)));
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
        this.#runLanes(partition, { events: size, decisions: size, eventsFirst: choice % 2 !== 0 });
        break;
      case 2:
      case 3:
        this.#runIdentity(size);
        break;
      case 4:
        this.#merger.publish(partition, this.#time);
        break;
      default:
        this.#restart(
          choice % 3 === 0 ? this.identity : this.#merger.of(partition).harness,
          (choice >> 6) % 3,
        );
    }
  }

  /** Everybody reads to the end and says so, until nothing is left to do. */
  settle(): void {
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, 'the merger comes to rest');
      if (this.#merger.isAtRest()) return;
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        this.#runLanes(partition, { events: 5, decisions: 5, eventsFirst: round % 2 !== 0 });
        this.#merger.publish(partition, this.#time);
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

  #runLanes(partition: number, reading: Reading): void {
    for (const { value } of of('eventsMerged', this.#merger.runLanes(partition, this.#time, reading))) {
      if (value.event !== null) this.merged.push({ merged: value, event: value.event });
    }
  }

  #runIdentity(count: number): void {
    const out = this.#merger.runIdentity(this.#time, count);
    this.facts.push(...of('identityLog', out).map(({ value }) => value));
  }

  #control(call: ControlCall): IdentityRequest {
    return {
      ...requestOf(call, WORKSPACE),
      request_number: this.#controls,
      positions: this.lanes.map(({ written }) => written),
    };
  }
}
