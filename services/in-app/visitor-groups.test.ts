import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KeyedStore } from '../runtime/store/ports.ts';
import { KeyedDisk } from '../testing/memory/memory-keyed.ts';
import { VisitorGroups } from './visitor-groups.ts';

/** Whose each visitor is, told without groups; and what the bytes of each would say. */
class Model {
  readonly groups = new VisitorGroups(new KeyedDisk().open());
  readonly owners = new Map<string, string>();
  readonly #groupOf = new Map<string, string>();
  readonly #gone = new Set<string>();

  claim(person: string, lane: string): void {
    if (this.owners.has(lane) || this.#gone.has(person)) return;
    this.owners.set(lane, person);
    this.groups.link(person, lane);
    this.#groupOf.set(lane, this.groups.groupOf(person));
  }
  leave(lane: string): void {
    const owner = this.owners.get(lane);
    if (owner === undefined) return;
    this.owners.delete(lane);
    this.groups.unlink(this.#groupOf.get(lane) ?? '', lane);
  }
  absorb(person: string, survivor: string): void {
    if (person === survivor || this.#gone.has(person) || this.#gone.has(survivor)) return;
    this.#gone.add(person);
    for (const [lane, owner] of this.owners) if (owner === person) this.owners.set(lane, survivor);
    const smaller = this.groups.join(person, survivor);
    for (const lane of smaller === undefined ? [] : this.groups.lanesIn(smaller)) this.#move(lane, survivor);
  }
  /** Any order, any time: whose the visitor is does not change by it. */
  #move(lane: string, owner: string): void {
    this.groups.unlink(this.#groupOf.get(lane) ?? '', lane);
    this.groups.link(owner, lane);
    this.#groupOf.set(lane, this.groups.groupOf(owner));
  }
  compare(): void {
    const theirs = new Map<string, string[]>();
    for (const [lane, owner] of this.owners) {
      expect(this.groups.ownerOf(this.#groupOf.get(lane) ?? '')).toBe(owner);
      theirs.set(owner, [...(theirs.get(owner) ?? []), lane]);
    }
    for (const [owner, lanes] of theirs)
      expect([...this.groups.lanesIn(this.groups.groupOf(owner))].sort()).toEqual(lanes.sort());
  }
}

test('people have the visitors that were claimed, merged and moved to them, and a visitor knows whose they are', () => {
  const person = fc.nat({ max: 6 }).map((each) => `shop:p${String(each)}`);
  const lane = fc.nat({ max: 9 }).map((each) => `shop:a:v${String(each)}`);
  const step = fc.oneof(
    fc.record({ type: fc.constant('claim' as const), person, lane }),
    fc.record({ type: fc.constant('absorb' as const), person, survivor: person }),
    fc.record({ type: fc.constant('leave' as const), lane }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model();
      for (const each of steps) {
        if (each.type === 'claim') model.claim(each.person, each.lane);
        else if (each.type === 'leave') model.leave(each.lane);
        else model.absorb(each.person, each.survivor);
        model.compare();
      }
    }),
  );
});

test('a chain of merges writes as much as there are visitors, not that times its length', () => {
  const store = new KeyedDisk().open();
  let puts = 0;
  const counting: KeyedStore = {
    get: (key) => store.get(key),
    put: (key, value) => {
      puts += 1;
      store.put(key, value);
    },
    putLate: (key, encode) => {
      store.putLate(key, encode);
    },
    delete: (key) => {
      store.delete(key);
    },
    scan: (from, to, limit) => store.scan(from, to, limit),
  };
  const groups = new VisitorGroups(counting);
  const people = 900;
  const of = (i: number): string => `shop:p${String(i)}`;
  for (let i = 0; i < people; i += 1) groups.link(of(i), `shop:a:v${String(i)}`);
  let moved = 0;
  for (let i = 0; i + 1 < people; i += 1) {
    const smaller = groups.join(of(i), of(i + 1)) ?? '';
    for (const lane of groups.lanesIn(smaller)) {
      groups.unlink(smaller, lane);
      groups.link(of(i + 1), lane);
      moved += 1;
    }
  }
  expect(groups.lanesIn(groups.groupOf(of(people - 1)), people)).toHaveLength(people);
  expect(moved).toBeLessThan(people);
  expect(puts).toBeLessThan(8 * people);
});
