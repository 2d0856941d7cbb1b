/** All partitions of a trigger with the past of a shop before them, without a broker: what one says to another is handed on. */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { localCodecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import type { InputRecord } from '../../services/runtime/log/ports.ts';
import { FlushSchedule } from '../../services/runtime/task/loop/flush-schedule.ts';
import type { Emitter } from '../../services/runtime/task/ports.ts';
import type { WantedPast } from '../../services/trigger/wanted-past.ts';
import { collected, personId, START, TriggerPartition, WORKSPACE } from '../trigger/trigger-processor.ts';

export interface Shop {
  readonly events: number;
  readonly people: number;
  /** One of so many events has the name that the segment counts. */
  readonly named: number;
  readonly eventsPerSecond: number;
}

export const PARTITIONS = 8;
const PEOPLE_A_BATCH = 1_000;
const BATCHES_A_FLUSH = 50;
/** Of live events, in one partition. */
const EVENTS_A_BATCH_MAX = 1_000;
/** What the reader may be ahead by, as a producer's queue would let it. */
const WAITING_MAX = 20;
const PAUSE_MS = 1;

export class BackfilledTrigger {
  readonly codecs = localCodecs();
  members = 0;
  readonly #shop: Shop;
  readonly #partitions: readonly TriggerPartition[];
  /** Values of trigger.transfers that each has not taken yet. */
  readonly #transfers: Buffer[][] = Array.from({ length: PARTITIONS }, () => []);
  readonly #flushes: FlushSchedule;
  readonly #began: number;
  #made = 0;
  #isDefined = false;

  constructor(folder: string, shop: Shop) {
    this.#shop = shop;
    this.#partitions = Array.from({ length: PARTITIONS }, (_, partition) => {
      const own = join(folder, String(partition));
      mkdirSync(own, { recursive: true });
      const parts = { partitions: PARTITIONS, hasPasts: true, firstOffset: shop.events, out: this.#out };
      return new TriggerPartition({ folder: own, partition, ...parts });
    });
    this.#meetEverybody();
    this.#began = performance.now();
    this.#flushes = new FlushSchedule(this.#partitions, this.#began);
  }

  define(id: string, body: unknown): void {
    for (const partition of this.#partitions) partition.define('segment', id, body);
    this.#isDefined = true;
  }

  wantedPasts(): readonly WantedPast[] {
    return this.#partitions.flatMap(({ processor }) => processor.wantedPasts());
  }

  /** From the reader. Resolves when there is room for more. */
  async told(value: Uint8Array, partition: number): Promise<number> {
    const waiting = this.#transfers[partition] ?? [];
    waiting.push(Buffer.from(value));
    while (waiting.length > WAITING_MAX) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return 0;
  }

  /** The past is in, everywhere; not everybody may have been looked at. */
  isRead(): boolean {
    return this.#partitions.every(({ processor }) => {
      const past = processor.pastOf(WORKSPACE, 's:keen', 1);
      return typeof past === 'object' && past.ready;
    });
  }

  isSettled(): boolean {
    return (
      this.#isDefined &&
      this.isRead() &&
      this.#transfers.every(({ length }) => length === 0) &&
      this.#partitions.every(({ processor }) => processor.status().unsettled === 0)
    );
  }

  /** A batch in each partition that has something to do. @returns ms for which the oldest of the events was held; 0 for none. */
  step(isMarked: boolean): number {
    const now = START + Math.floor(performance.now() - this.#began);
    const msApart = 1_000 / this.#shop.eventsPerSecond;
    const first = this.#made;
    const due = Math.floor((performance.now() - this.#began) / msApart);
    const to = Math.min(due, first + EVENTS_A_BATCH_MAX * PARTITIONS);
    const events: InputRecord[][] = this.#partitions.map(() => []);
    for (; this.#made < to; this.#made += 1) {
      const person = personId((this.#made * 7_919) % this.#shop.people);
      // One of ten has the name that the segment counts, and not what it asks of it.
      const name = this.#made % 10 === 0 ? 'Added to Cart' : 'Product Viewed';
      const fields = { name, properties: '{"product_id":"sku-1","price":0}' };
      const event = collected(this.#shop.people + this.#made, now, fields);
      const partition = this.#partitionOf(person);
      events[partition]?.push(this.#of(partition).event(person, event));
    }
    for (const [index, partition] of this.#partitions.entries()) {
      const own = events[index] ?? [];
      const value = this.#transfers[index]?.shift();
      const told = value === undefined ? [] : [partition.record('triggerTransfers', '', value)];
      const marks = isMarked ? partition.watermarks(now) : [];
      const records = [...marks, ...own, ...told];
      if (records.length === 0 && !partition.processor.wantsBatch(now, partition.definitions)) continue;
      partition.batch(now, records);
    }
    return to === first ? 0 : performance.now() - this.#began - first * msApart;
  }

  /** What is due to be written, as in a task. */
  flush(): void {
    this.#flushes.committed(0);
    this.#flushes.tick(performance.now());
  }

  close(): void {
    for (const partition of this.#partitions) partition.close();
  }

  #meetEverybody(): void {
    const waiting: InputRecord[][] = this.#partitions.map(() => []);
    let batches = 0;
    const take = (index: number): void => {
      const partition = this.#of(index);
      partition.batch(START, waiting[index] ?? []);
      waiting[index] = [];
      batches += 1;
      if (batches % BATCHES_A_FLUSH === 0) for (const { stores } of this.#partitions) stores.flush();
    };
    for (let number = 0; number < this.#shop.people; number += 1) {
      const person = personId(number);
      const index = this.#partitionOf(person);
      const event = collected(number, START, { name: 'Product Viewed', properties: null });
      waiting[index]?.push(this.#of(index).event(person, event));
      if (waiting[index]?.length === PEOPLE_A_BATCH) take(index);
    }
    for (let index = 0; index < PARTITIONS; index += 1) take(index);
    for (const { stores } of this.#partitions) stores.flush();
  }

  #partitionOf(person: string): number {
    return partitionOf(`${WORKSPACE}:${person}`, PARTITIONS);
  }

  #of(index: number): TriggerPartition {
    const partition = this.#partitions[index];
    if (partition === undefined) throw new RangeError(`no partition ${String(index)}`);
    return partition;
  }

  readonly #out: Emitter = {
    emit: (topic, key, value) => {
      if (topic === 'triggerTransfers') this.#handOn(partitionOf(key, PARTITIONS), value);
      if (topic === 'segmentsChanged') {
        const { change } = this.codecs.SegmentChange.decode(Buffer.from(value));
        this.members += change === 'entered' ? 1 : -1;
      }
    },
    emitTo: (topic, partition, _key, value) => {
      if (topic === 'triggerTransfers') this.#handOn(partition, value);
    },
  };

  #handOn(partition: number, value: Uint8Array): void {
    this.#transfers[partition]?.push(Buffer.from(value));
  }
}
