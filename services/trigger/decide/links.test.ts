/** A storm of merges into one person: each costs as much as the first, and what waits for them has its turn in order. */
import { describe, expect, test } from '@jest/globals';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import { memoryStores } from '../../testing/memory/memory-stores.ts';
import { LinkBook } from './links.ts';

/** Counts the bytes that are put. */
function counted(keyed: KeyedStore, work: { bytes: number }): KeyedStore {
  return {
    get: (key) => keyed.get(key),
    put: (key, value) => {
      work.bytes += value.length;
      keyed.put(key, value);
    },
    putLate: (key, encode) => {
      const value = encode();
      work.bytes += value.length;
      keyed.put(key, value);
    },
    delete: (key) => {
      keyed.delete(key);
    },
    scan: (from, to, limit) => keyed.scan(from, to, limit),
  };
}

const sea = 'shop:cio_sea';
const parked = (offset: number) => ({ originPartition: 0, originOffset: offset, value: Buffer.from('x') });
const drained = (book: LinkBook, costMax = 1_000, cost = 1): number[] => {
  const order: number[] = [];
  book.drain(
    () => costMax,
    (_, { originOffset }) => {
      order.push(originOffset);
      return cost;
    },
  );
  return order;
};

test('ten thousand merges into one person that all wait: the last costs what the tenth did', () => {
  const work = { bytes: 0 };
  const book = new LinkBook(counted(memoryStores({}).keyed, work));
  let tenth = 0;
  for (let fact = 1; fact <= 10_000; fact += 1) {
    work.bytes = 0;
    expect(book.absorb(sea, { factNumber: fact, at: fact })).toEqual({ type: 'waits' });
    book.park(sea, '0', parked(fact));
    if (fact === 10) tenth = work.bytes;
  }
  expect(work.bytes - tenth).toBeLessThan(40); // numbers with more digits
  expect([book.parked, book.drainable]).toEqual([10_000, false]);
  for (let fact = 1; fact <= 10_000; fact += 1) expect(book.arrived(sea, fact)?.factNumber).toBe(fact);
  expect(drained(book)).toEqual(Array.from({ length: 1_000 }, (_, each) => each + 1));
});

test('what is outstanding is the same after a start, also what an older version wrote', () => {
  const { keyed } = memoryStores({});
  const queues = { '0': { head: 0, tail: 1 }, '7': { head: 2, tail: 3 } };
  const old = { waiting: [{ factNumber: 5, at: 1 }], early: [7], queues };
  keyed.put(`l:${sea}`, Buffer.from(JSON.stringify(old)));
  for (const key of [`q:${sea}:0:000000000000`, `q:${sea}:7:000000000002`]) {
    keyed.put(key, Buffer.concat([Buffer.alloc(12), Buffer.from('x')]));
  }
  for (const change of [undefined, 5, 7]) {
    const book = new LinkBook(keyed);
    if (change === 5) expect(book.arrived(sea, 5)).toMatchObject({ at: 1 });
    if (change === 7) expect(book.absorb(sea, { factNumber: 7, at: 2 })).toEqual({ type: 'here', texts: [] });
    expect([book.people, book.parked]).toEqual([1, 2]);
  }
  expect(keyed.get(`l:${sea}`)).toBeUndefined();
  const book = new LinkBook(keyed);
  expect(drained(book)).toHaveLength(2);
  expect([book.people, book.parked]).toEqual([0, 0]);
  expect(keyed.scan('l:', 'l;', 10)).toEqual([]);
});

describe('more merges under way than may be', () => {
  const few = { max: 10, ofWorkspaceMax: 5, reservedMin: 2 };
  const bounds = { merges: few, records: { max: 10, ofWorkspaceMax: 5, reservedMin: 2 } };
  const fact = (factNumber: number) => ({ factNumber, at: factNumber });

  test('are awaited no longer, of that workspace alone, and what they bring is added when it comes', () => {
    const { keyed } = memoryStores({});
    let book = new LinkBook(keyed, bounds);
    const types = Array.from({ length: 20 }, (_, n) => book.absorb(`evil:cio_${String(n)}`, fact(n)).type);
    expect(types).toEqual([
      ...new Array<string>(5).fill('waits'),
      ...new Array<string>(15).fill('not_awaited'),
    ]);
    expect(book.absorb('quiet:cio_a', fact(1)).type).toBe('waits');
    expect(book.people).toBe(6);
    expect(book.has('evil:cio_19')).toBe(false);
    book = new LinkBook(keyed, bounds);
    expect(book.people).toBe(6);
    expect(book.arrived('evil:cio_19', 19)).toEqual(fact(19));
    expect(book.arrived('evil:cio_1', 1)).toEqual(fact(1));
    expect(book.absorb('evil:cio_30', fact(30)).type).toBe('waits');
  });

  test('and states that come before their merge is read are kept for it all the same', () => {
    const { keyed } = memoryStores({});
    const book = new LinkBook(keyed, bounds);
    for (let n = 0; n < 20; n += 1) {
      book.addText(`evil:cio_${String(n)}`, n, `state ${String(n)}`);
      expect(book.arrived(`evil:cio_${String(n)}`, n)).toBeUndefined();
    }
    expect(book.people).toBe(5);
    for (let n = 0; n < 20; n += 1) {
      const absorbing = new LinkBook(keyed, bounds).absorb(`evil:cio_${String(n)}`, fact(n));
      expect(absorbing).toEqual({ type: 'here', texts: [`state ${String(n)}`] });
    }
    expect(keyed.scan('', '~', 10)).toEqual([]);
  });

  test('hand out what waits for them when it is too much, in its order, and nobody else notices', () => {
    const { keyed } = memoryStores({});
    const book = new LinkBook(keyed, bounds);
    book.absorb('evil:cio_a', fact(1));
    book.absorb('quiet:cio_b', fact(2));
    expect([1, 2, 3, 4, 5].flatMap((offset) => book.park('evil:cio_a', '0', parked(offset)))).toEqual([]);
    expect(book.drainable).toBe(false);
    expect(book.park('quiet:cio_b', '0', parked(6))).toEqual([]);
    expect(book.park('evil:cio_a', '0', parked(7))).toEqual([1]);
    expect(drained(book)).toEqual([1, 2, 3, 4, 5, 7]);
    expect(book.queueFor('quiet:cio_b', null)).toBe('0');
    expect(book.arrived('evil:cio_a', 1)).toEqual(fact(1));
  });
});

test('each workspace has its own part of a drain, and what is dear takes more of it', () => {
  const book = new LinkBook(memoryStores({}).keyed);
  for (const person of ['evil:cio_a', 'quiet:cio_b']) {
    book.absorb(person, { factNumber: 1, at: 1 });
    for (let each = 0; each < 50; each += 1)
      book.park(person, '0', parked(person.startsWith('evil') ? each : 100 + each));
    book.arrived(person, 1);
  }
  const order = drained(book, 100, 10);
  expect(order).toEqual([
    ...Array.from({ length: 10 }, (_, each) => each),
    ...Array.from({ length: 10 }, (_, each) => 100 + each),
  ]);
});
