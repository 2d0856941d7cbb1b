/** Random work on a partition's stores, and a model of what they must then hold. */
import { crc32c } from '@node-rs/crc32';
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { PartitionStores } from '../../runtime/store/ports.ts';
import { acts, laneOf, lanesMax, partsOf, seenAt, text, valuesMax, type Step } from './stores-steps.ts';

export const step: fc.Arbitrary<Step> = fc.record({
  lane: fc.nat(lanesMax),
  act: fc.constantFrom(...acts),
  value: fc.nat(valuesMax),
});

export class StoresModel {
  readonly chains = new Map<string, string[]>();
  readonly flags = new Map<number, number>();
  readonly keyed = new Map<string, string>();
  readonly hashes = new Set<number>();

  static of(steps: readonly Step[]): StoresModel {
    const model = new StoresModel();
    for (const one of steps) model.apply(one);
    return model;
  }

  apply({ lane, act, value }: Step): void {
    if (act === 'append') this.#chain(`waiting/${String(lane)}`).push(text(lane, value));
    else if (act === 'queue') this.#chain(`queued/${String(lane)}`).push(text(lane, value));
    else if (act === 'clear') this.chains.delete(`waiting/${String(lane)}`);
    else if (act === 'flag') this.flags.set(lane, value);
    else if (act === 'put' || act === 'put_late') this.keyed.set(`k${String(lane)}`, text(lane, value));
    else if (act === 'delete') this.keyed.delete(`k${String(lane)}`);
    else this.hashes.add(value);
  }

  #chain(name: string): string[] {
    const chain = this.chains.get(name) ?? [];
    this.chains.set(name, chain);
    return chain;
  }
}

export function expectModel(stores: PartitionStores, model: StoresModel): void {
  const { events, duplicates } = partsOf(stores);
  for (let lane = 0; lane <= lanesMax; lane += 1) {
    const slot = laneOf(events, lane);
    expect(events.flags(slot)).toBe(model.flags.get(lane) ?? 0);
    for (const chain of ['waiting', 'queued'] as const) {
      const stored = events.events(slot, chain, 0);
      const got = Array.from({ length: stored.length }, (_, index) => brief(stored.read(index)));
      expect(got).toEqual(model.chains.get(`${chain}/${String(lane)}`)?.map(brief) ?? []);
      expect(events.count(slot, chain)).toBe(got.length);
    }
    expect(stores.keyed.get(`k${String(lane)}`)?.toString()).toBe(model.keyed.get(`k${String(lane)}`));
  }
  const keys = stores.keyed.scan('k', 'l', 100).map(([key]) => key);
  expect(keys).toEqual([...model.keyed.keys()].sort());
  for (let value = 0; value <= valuesMax; value += 1) {
    expect(duplicates.seen(value, value * 7, seenAt)).toBe(model.hashes.has(value));
  }
}

/** Enough to tell two apart, and to read. */
function brief(value: string | Buffer): string {
  return `${value.toString().slice(0, 20)}… ${String(value.length)} ${String(crc32c(value))}`;
}
