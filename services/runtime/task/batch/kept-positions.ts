/**
 * Where a partition's inputs go on, kept in its own store with each flush: for the day when the journal has no record
 * left (nothing happened for longer than the log is kept).
 */
import { topics } from '../../../../schemas/topics.ts';
import type { KeyedStore } from '../../store/ports.ts';
import { topicIdOf, type Positions } from './positions.ts';

/** No processor uses keys that start with a tilde. */
const KEY = '~task/positions';

export function keepPositions(store: KeyedStore, positions: Positions, partition: number): void {
  const next: Record<string, number> = {};
  for (const topic of positions.inputs) {
    const offset = positions.find(topic, partition);
    if (offset !== undefined) next[topics[topic].name] = offset;
  }
  store.put(KEY, Buffer.from(JSON.stringify(next)));
}

export function readKeptPositions(store: KeyedStore, positions: Positions, partition: number): void {
  const kept = store.get(KEY);
  if (kept === undefined) return;
  const next = JSON.parse(kept.toString()) as Record<string, number>; // written by keepPositions
  for (const [name, offset] of Object.entries(next)) {
    const topic = topicIdOf(name);
    if (positions.inputs.includes(topic)) positions.set(topic, partition, offset);
  }
}
