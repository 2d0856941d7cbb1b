/**
 * Stores of the merger as a month of visitors would leave them: events that nobody has claimed, through the real stores,
 * with the merger's own marks. Nothing is on the broker: the merger finds its positions in the stores, as it does when
 * its journal has expired.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Codecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { waitingMs } from '../../services/merger/decide/limits.ts';
import { lanesService } from '../../services/merger/service.ts';
import { assert } from '../../services/runtime/errors.ts';
import { openPartitionStores } from '../../services/runtime/store/open-stores.ts';
import type { EventStore, HashWindow, PartitionStores } from '../../services/runtime/store/ports.ts';
import { keepPositions } from '../../services/runtime/task/batch/kept-positions.ts';
import { Positions } from '../../services/runtime/task/batch/positions.ts';
import { stateFolder } from '../../services/runtime/task/recovery/snapshots.ts';
import { collectedEvent } from '../../services/testing/collected-event.ts';

export interface FillOptions {
  readonly dataFolder: string;
  readonly codecs: Codecs;
  readonly partitions: number;
  /** Of values. */
  readonly bytes: number;
  readonly eventsPerLane: number;
}
export interface Filled {
  readonly events: number;
  readonly lanes: number;
  readonly bytes: number;
}

const BATCH_EVENTS = 20_000;
const BATCHES_A_FLUSH = 5;
/** Spread over the month that events wait, and a little short of it, so that nothing expires while it is measured. */
const SPREAD_MS = waitingMs - 86_400_000;

/** About 400 bytes a value, as a storefront's page view. */
export function valueOf(codecs: Codecs, lane: number, receivedAt: number): Buffer {
  return codecs.CollectedEvent.encode(
    collectedEvent({
      received_at: receivedAt,
      anonymous_id: `0a1b2c3d-4e5f-4a6b-8c7d-${String(lane).padStart(12, '0')}`,
      message_id: `node-${String(receivedAt)}-${String(lane).padStart(12, '0')}`,
      workspace: 'shop',
      properties: JSON.stringify({ path: '/products/1234', sku: 'sku-1234', price: 19.99, currency: 'EUR' }),
      context: JSON.stringify({
        library: { name: 'analytics.js', version: 'next-0.5.11' },
        page: { url: 'https://shop.example/products/1234', title: 'Product 1234', referrer: '' },
      }),
    }),
  );
}
export function keyOf(lane: number): Buffer {
  return Buffer.from(`shop:a:0a1b2c3d-4e5f-4a6b-8c7d-${String(lane).padStart(12, '0')}`);
}

export async function fill(options: FillOptions): Promise<Filled> {
  const now = Date.now();
  const value = valueOf(options.codecs, 1, now);
  const events = Math.ceil(options.bytes / value.length);
  const lanes = Math.ceil(events / options.eventsPerLane);
  const partitions = Array.from(
    { length: options.partitions },
    (_, partition) => new Filling(options, partition),
  );
  let lane = 1;
  for (let done = 0; done < events; done += BATCH_EVENTS) {
    for (let i = done; i < Math.min(done + BATCH_EVENTS, events); i += 1) {
      lane = (lane * 48_271) % 2_147_483_647; // the minimal standard generator: the bench is to repeat itself
      const key = keyOf(lane % lanes);
      partitions[partitionOf(key, options.partitions)]?.take(
        key,
        value,
        i,
        now - SPREAD_MS * (1 - i / events),
      );
    }
    const flush = (done / BATCH_EVENTS) % BATCHES_A_FLUSH === 0;
    for (const partition of partitions) partition.commit(flush);
    if (flush) await turn(); // tables are put in force beside
  }
  for (const partition of partitions) partition.close();
  return { events, lanes, bytes: events * value.length };
}

class Filling {
  readonly #stores: PartitionStores;
  readonly #events: EventStore;
  readonly #duplicates: HashWindow;
  readonly #partition: number;
  #sequence = 0;

  constructor({ dataFolder }: FillOptions, partition: number) {
    this.#partition = partition;
    const folder = stateFolder({ dataFolder, service: lanesService.name }, partition);
    this.#stores = openPartitionStores(folder, lanesService.stores);
    const { events, duplicates } = this.#stores;
    assert(events !== undefined && duplicates !== undefined, 'lanes have both');
    this.#events = events;
    this.#duplicates = duplicates;
  }

  take(key: Buffer, value: Buffer, number: number, receivedAt: number): void {
    const time = Math.floor(receivedAt);
    this.#duplicates.seen(Math.imul(number, 0x85eb_ca6b), Math.imul(number, 0x9e37_79b1), time);
    const slot = this.#events.lane(key, 0, key.length);
    this.#events.append(slot, 'waiting', time, time, value, 0, value.length);
  }

  commit(flush: boolean): void {
    const positions = new Positions(lanesService.inputs, [this.#partition]);
    for (const topic of lanesService.inputs) positions.set(topic, this.#partition, 0);
    keepPositions(this.#stores.keyed, positions, this.#partition);
    this.#sequence += 1;
    this.#stores.committed(this.#sequence);
    if (flush) this.#stores.flush();
  }
  close(): void {
    this.#stores.close();
  }
}
