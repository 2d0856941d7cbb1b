/**
 * Very many merges of one workspace: all people into one, each survivor into the next, or aliases in a ring, and after each
 * a visitor who has nothing to do with it. Throws when a promise breaks; returns what it took. For tests of hostile inputs
 * only.
 */
import type { Identifier } from '../../../schemas/lanes.ts';
import { assert } from '../../runtime/errors.ts';
import { HostileShop, identify, type Watch } from './shop.ts';

export type Shape = 'star' | 'chain' | 'ring';

export interface StormReport {
  readonly merges: number;
  /** ms that a merge took until every lane knew, of the first and of the last tenth. */
  readonly firstTenthMs: number;
  readonly lastTenthMs: number;
  /** Visitors in between, each released. */
  readonly othersReleased: number;
  readonly batchMsMax: number;
  /** People that are left. */
  readonly left: number;
}

/** Names of a ring: its aliases go round and round. */
const RING = 50;
const PEOPLE_A_BATCH = 100;

export function mergeStorm(size: {
  readonly folder: string;
  readonly merges: number;
  readonly shape: Shape;
}): StormReport {
  const { folder, merges, shape } = size;
  const shop = new HostileShop(folder);
  const people = shape === 'ring' ? RING : merges + 1;
  makePeople(shop, people);
  const took: number[] = [];
  let othersReleased = 0;
  const watch: Watch = {
    merged: ({ type, anonymous_id: visitor }) => {
      othersReleased += Number(type === 'event' && visitor?.startsWith('other') === true);
    },
  };
  for (let each = 0; each < merges; each += 1) {
    const [primary, secondary] = sides(shape, each);
    const began = performance.now();
    // An alias claims first: its previous id may be a visitor's.
    if (shape === 'ring') shop.feed([stamped(shop, { ...identify(secondary.value, primary) })]);
    shop.merge(primary, secondary);
    took.push(performance.now() - began);
    visit(shop, `other-${String(each)}`, watch);
  }
  assert(othersReleased === merges, 'every visitor in between has their past');
  const left = new Set(Array.from({ length: people }, (_, at) => shop.graph.find(person(at))?.personId));
  left.delete(undefined);
  const { batchMsMax } = shop;
  shop.close();
  const tenth = Math.max(1, Math.floor(merges / 10));
  return {
    merges,
    firstTenthMs: mean(took.slice(0, tenth)),
    lastTenthMs: mean(took.slice(-tenth)),
    othersReleased,
    batchMsMax: Math.round(batchMsMax),
    left: left.size,
  };
}

function sides(shape: Shape, at: number): readonly [primary: Identifier, secondary: Identifier] {
  switch (shape) {
    case 'star':
      return [person(0), person(at + 1)];
    case 'chain':
      return [person(at + 1), person(at)];
    case 'ring':
      return [person((at + 1 + Math.floor(at / RING)) % RING), person(at % RING)];
  }
}

function makePeople(shop: HostileShop, people: number): void {
  for (let from = 0; from < people; from += PEOPLE_A_BATCH) {
    const count = Math.min(PEOPLE_A_BATCH, people - from);
    shop.feed(
      Array.from({ length: count }, (_, at) =>
        stamped(shop, {
          ...identify(`visitor-${String(from + at)}`, person(from + at)),
          message_id: 'claim',
        }),
      ),
    );
    shop.settle();
  }
}

function visit(shop: HostileShop, visitor: string, watch: Watch): void {
  const event = stamped(shop, { anonymous_id: visitor, message_id: 'past' });
  const id = { kind: 'id', value: `${visitor}-id` } as const;
  shop.feed([event, stamped(shop, { ...identify(visitor, id), message_id: 'claim' })], watch);
  shop.settle(watch);
}

function stamped<Event extends object>(shop: HostileShop, event: Event) {
  shop.time += 1;
  return { received_at: shop.time, timestamp: shop.time, ...event };
}

function person(at: number): Identifier {
  return { kind: 'id', value: `person-${String(at)}` };
}

function mean(ms: readonly number[]): number {
  return Math.round((100 * ms.reduce((sum, each) => sum + each, 0)) / ms.length) / 100;
}
