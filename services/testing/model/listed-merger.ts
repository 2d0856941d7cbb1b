/**
 * Lane partitions and identity as they are, with nothing between them but lists: a miniature of the merger for tests. Who
 * moves next, and how far, is the test's to say.
 */
import { localCodecs } from '../../../schemas/codec.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { identityService } from '../../identity/service.ts';
import { lanesService } from '../../merger/service.ts';
import { assert } from '../../runtime/errors.ts';
import { ProcessorHarness, type Given, type Output } from '../processor-harness.ts';

const codecs = localCodecs();

/** A partition of events.collected and of identity.decisions, and who reads them. */
export interface ListedLanes {
  readonly harness: ProcessorHarness;
  /** Not read yet, as the decisions are. */
  readonly events: Given[];
  readonly decisions: Given[];
  /** Events that were ever written. */
  written: number;
}

/** How much is read; decisions first unless said otherwise. */
export interface Reading {
  readonly events: number;
  readonly decisions: number;
  readonly eventsFirst?: boolean;
}
export const everything: Reading = { events: Infinity, decisions: Infinity };

export class ListedMerger {
  readonly lanes: readonly ListedLanes[];
  readonly identity: ProcessorHarness;
  /** identity.requests, not read yet. */
  readonly requests: Given[] = [];

  constructor(workspace: Workspace, partitions: number) {
    this.identity = new ProcessorHarness(identityService, {
      codecs,
      partitions,
      partition: partitionOf(workspace, partitions),
    });
    this.lanes = Array.from({ length: partitions }, (_, partition) => ({
      harness: new ProcessorHarness(lanesService, { codecs, partitions, partition }),
      events: [],
      decisions: [],
      written: 0,
    }));
  }

  get partitions(): number {
    return this.lanes.length;
  }

  of(partition: number): ListedLanes {
    const lanes = this.lanes[partition];
    assert(lanes !== undefined, `there is a lane partition ${String(partition)}`);
    return lanes;
  }

  /** An event, or a marker. Returns one past it. */
  write(partition: number, record: Given): number {
    const lanes = this.of(partition);
    lanes.events.push(record);
    return (lanes.written += 1);
  }

  /** A batch of lanes; what it asks goes to identity. */
  runLanes(partition: number, time: number, reading: Reading): readonly Output[] {
    const { harness, events, decisions } = this.of(partition);
    const answers = decisions.splice(0, reading.decisions);
    const taken = events.splice(0, reading.events);
    const records = reading.eventsFirst === true ? [...taken, ...answers] : [...answers, ...taken];
    return this.#asked(harness.batch(time, ...records));
  }

  /** Batches without records for as long as lanes want any. */
  idleLanes(partition: number, time: number): readonly Output[] {
    return this.#asked(this.of(partition).harness.idle(time));
  }

  /** A batch of identity; its answers go to the lanes. */
  runIdentity(time: number, count: number): readonly Output[] {
    const out = this.identity.batch(time, ...this.requests.splice(0, count));
    for (const { topic, partition, key, bytes } of out) {
      if (topic === 'identityDecisions') this.of(partition).decisions.push({ topic, key, bytes });
    }
    return out;
  }

  /** Tells identity how far a partition's lanes are. */
  publish(partition: number, time: number): void {
    const { harness, written, events } = this.of(partition);
    const offset = harness.processor.pendingSince()?.offset ?? written - events.length;
    const handled = { time, offset, behind: new Map() };
    for (const { topic, value } of lanesService.watermarks?.encode(partition, handled, codecs) ?? []) {
      if (topic === 'identityRequests') this.requests.push({ topic, key: '', bytes: Buffer.from(value) });
    }
  }

  /** Nothing lies unread, and nothing that was read has yet to have its effect. */
  isAtRest(): boolean {
    const isUnsettled = ({ processor }: ProcessorHarness): boolean => processor.status().unsettled > 0;
    return (
      this.lanes.every(({ events, decisions }) => events.length + decisions.length === 0) &&
      this.requests.length === 0 &&
      !this.lanes.some(({ harness }) => isUnsettled(harness)) &&
      !isUnsettled(this.identity)
    );
  }

  #asked(out: readonly Output[]): readonly Output[] {
    for (const { topic, key, bytes } of out) {
      if (topic === 'identityRequests') this.requests.push({ topic, key, bytes });
    }
    return out;
  }
}
