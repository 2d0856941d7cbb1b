/** Steps on a partition's stores; they may follow from a seed, the same in every process. */
import { assert } from '../../runtime/errors.ts';
import type { EventStore, HashWindow, PartitionStores } from '../../runtime/store/ports.ts';
import { Random } from '../random.ts';

const HOUR_MS = 3_600_000;
/** When all hashes are seen. */
export const seenAt = 50 * HOUR_MS;
export const modelNeeds = {
  events: { retentionMs: 30 * 24 * HOUR_MS },
  duplicates: { windowMs: 24 * HOUR_MS, lateMs: 0, entriesMax: 1_000_000 },
};
export const lanesMax = 20;
export const valuesMax = 200;

/** Small, so that segments and tables come and go within a test. */
export const smallSizes = { segmentBytesMax: 128 << 10, tailRecordsMin: 60 };

/** What a batch does. */
export interface Step {
  readonly lane: number;
  readonly act: 'append' | 'queue' | 'clear' | 'flag' | 'put' | 'put_late' | 'delete' | 'seen';
  readonly value: number;
}
export function partsOf(stores: PartitionStores): { events: EventStore; duplicates: HashWindow } {
  const { events, duplicates } = stores;
  assert(events !== undefined && duplicates !== undefined, 'the stores that were asked for are there');
  return { events, duplicates };
}
export function laneOf(events: EventStore, lane: number): number {
  const key = Buffer.from(`shop:a:visitor-${String(lane)}`);
  return events.lane(key, 0, key.length);
}

export function doStep(stores: PartitionStores, { lane, act, value }: Step): void {
  const { events, duplicates } = partsOf(stores);
  const slot = laneOf(events, lane);
  const bytes = Buffer.from(text(lane, value));
  if (act === 'append') events.append(slot, 'waiting', 1_000_000 + value, value, bytes, 0, bytes.length);
  else if (act === 'queue') events.append(slot, 'queued', 1_000_000 + value, value, bytes, 0, bytes.length);
  else if (act === 'clear') events.clear(slot, 'waiting');
  else if (act === 'flag') events.setFlags(slot, value);
  else if (act === 'put') stores.keyed.put(`k${String(lane)}`, bytes);
  else if (act === 'put_late') stores.keyed.putLate(`k${String(lane)}`, () => Buffer.from(bytes));
  else if (act === 'delete') stores.keyed.delete(`k${String(lane)}`);
  else duplicates.seen(value, value * 7, seenAt);
}

/** Some are empty, some longer than what is checked at a time. */
export function text(lane: number, value: number): string {
  return `event ${String(value)} of ${String(lane)} `.repeat(value % 97 === 0 ? 700 : value % 7);
}

const STEPS = 40;
/** As often as they are to come. */
export const acts = [
  'append',
  'append',
  'append',
  'queue',
  'clear',
  'flag',
  'put',
  'put_late',
  'delete',
  'seen',
  'seen',
  'seen',
] as const;

/** Of a batch, under a seed. */
export function stepsOf(seed: number, batch: number): Step[] {
  const random = new Random(seed ^ Math.imul(batch, 0x9e37_79b1));
  return Array.from({ length: STEPS }, () => ({
    lane: random.below(lanesMax + 1),
    act: random.pick(acts),
    value: random.below(valuesMax + 1),
  }));
}
