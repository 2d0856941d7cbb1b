/**
 * A shop's lanes and identity on real stores: events go in, identity answers when it is let. For tests of hostile
 * inputs only.
 */
import { controlMarker } from '../../../schemas/control-markers.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import { toWorkspace } from '../../../schemas/ids.ts';
import { laneKey, type Identifier } from '../../../schemas/lanes.ts';
import type { CollectedEvent, DroppedEvent, MergedEvent } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import { collectedEvent } from '../collected-event.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { identityService } from '../../identity/service.ts';
import { LanesProcessor } from '../../merger/processor.ts';
import { lanesService } from '../../merger/service.ts';
import { codecs, FedService, type Fed } from './fed-service.ts';

export const START = 1_700_000_000_000;
const SHOP = toWorkspace('shop');
const ROUNDS_MAX = 10_000;
/** Between batches without events. */
const ROUND_MS = 20;

/** What a batch of lanes came to, for whoever watches it. */
export interface Watch {
  readonly merged?: (event: NonNullable<MergedEvent['event']>, merged: MergedEvent, bytes: number) => void;
  readonly dropped?: (row: DroppedEvent) => void;
}

export class HostileShop {
  readonly lanes: FedService;
  readonly identity: FedService;
  time = START;
  /** ms that each batch of lanes took, the longest. */
  batchMsMax = 0;
  #requests: Fed[] = [];
  #decisions: Fed[] = [];
  #controls = 0;

  /** @param laneEventsMax waiting events of one lane, if not the usual limit */
  constructor(folder: string, laneEventsMax?: number) {
    this.lanes = new FedService(folder, {
      ...lanesService,
      open: (partition, partitions, stores) =>
        new LanesProcessor({ partition, partitions, laneEventsMax }, stores, codecs),
    });
    this.identity = new FedService(folder, identityService);
  }

  /** A batch of lanes: these events, and what identity has answered. */
  feed(events: readonly Partial<CollectedEvent>[], watch: Watch = {}): void {
    this.#runLanes(events.map(eventOf), watch);
  }

  /** Identity reads what it was asked; its answers reach the lanes with their next batch. */
  answer(): void {
    const requests = this.#requests;
    this.#requests = [];
    this.identity.batch(this.time, requests, (output) => {
      if (output.topic === 'identityDecisions') this.#decisions.push(output);
    });
  }

  /** Batches without events until nothing is left to do. Returns how many. */
  settle(watch: Watch = {}): number {
    for (let round = 0; ; round += 1) {
      assert(round < ROUNDS_MAX, 'the shop comes to rest');
      const unsettled = this.lanes.processor.status().unsettled + this.identity.processor.status().unsettled;
      if (unsettled === 0 && this.#requests.length === 0 && this.#decisions.length === 0) return round;
      this.answer();
      this.time += ROUND_MS;
      this.#runLanes([], watch);
    }
  }

  /** A merge as ingest sends it, decided at once as far as the lanes let it. */
  merge(primary: Identifier, secondary: Identifier): void {
    this.#controls += 1;
    const marker = controlMarker({ workspace: SHOP, kind: 'merge', received_at: this.time }, this.#controls);
    this.#runLanes(
      [{ topic: 'eventsCollected', key: SHOP, value: codecs.CollectedEvent.encode(marker) }],
      {},
    );
    const request = identityRequest({
      kind: 'merge',
      workspace: SHOP,
      received_at: this.time,
      request_number: this.#controls,
      positions: [this.lanes.offset],
      identifier_kind: primary.kind,
      identifier: primary.value,
      other_kind: secondary.kind,
      other: secondary.value,
      message_id: 'merge',
    });
    const value = codecs.IdentityRequest.encode(request);
    this.#requests.push({ topic: 'identityRequests', key: SHOP, value });
    this.settle();
  }

  get graph(): WorkspaceGraph {
    return new WorkspaceGraph(this.identity.stores.keyed, SHOP);
  }

  close(): void {
    this.lanes.close();
    this.identity.close();
  }

  #runLanes(events: readonly Fed[], watch: Watch): void {
    const decisions = this.#decisions;
    this.#decisions = [];
    const began = performance.now();
    const out: Fed[] = [];
    this.lanes.batch(this.time, [...decisions, ...events], (output) => {
      out.push(output);
    });
    this.batchMsMax = Math.max(this.batchMsMax, performance.now() - began);
    for (const output of out) this.#take(output, watch);
  }

  #take(output: Fed, { merged, dropped }: Watch): void {
    if (output.topic === 'identityRequests') this.#requests.push(output);
    if (output.topic === 'eventsDropped') dropped?.(codecs.DroppedEvent.decode(output.value));
    if (output.topic !== 'eventsMerged' || merged === undefined) return;
    const value = codecs.MergedEvent.decode(output.value);
    if (value.event !== null) merged(value.event, value, output.value.length);
  }
}

function eventOf(fields: Partial<CollectedEvent>): Fed {
  const event = collectedEvent({ workspace: SHOP, anonymous_id: null, ...fields });
  const { identifier_kind: kind, identifier } = event;
  const key = laneKey(SHOP, {
    anonymousId: event.anonymous_id,
    identifier: kind === 'none' || identifier === null ? null : { kind, value: identifier },
    messageId: event.message_id,
  });
  return { topic: 'eventsCollected', key, value: codecs.CollectedEvent.encode(event) };
}

/** An identify by id or email, in the visitor's lane. */
export function identify(visitor: string | null, { kind, value }: Identifier): Partial<CollectedEvent> {
  return {
    type: 'identify',
    anonymous_id: visitor,
    identifier_kind: kind,
    identifier: value,
    id: kind === 'id' ? value : null,
    email: kind === 'email' ? value : null,
    name: null,
  };
}
