/** Hostile and unlucky input ends in a bounded state and a visible reason (spec E rows 99 and 103). */
import { describe, expect, test } from '@jest/globals';
import type { KeyedStore, PartitionStores } from '../runtime/store/ports.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import type { IdentityRequest } from '../../schemas/records.ts';
import { of } from '../testing/processor-harness.ts';
import { Scenario, START } from '../testing/scenarios/identity-scenario.ts';
import { identityService } from './service.ts';

/** Work that decisions do on the store. */
interface Work {
  calls: number;
  bytes: number;
}

function counted(work: Work): ServiceSpec {
  return {
    ...identityService,
    open: (partition, partitions, stores, codecs) => {
      const { keyed } = stores;
      const counting: KeyedStore = {
        get: (key) => {
          const value = keyed.get(key);
          note(work, value?.length ?? 0);
          return value;
        },
        put: (key, value) => {
          note(work, value.length);
          keyed.put(key, value);
        },
        putLate: (key, encode) => {
          counting.put(key, encode());
        },
        delete: (key) => {
          note(work, 0);
          keyed.delete(key);
        },
        scan: (from, to, limit) => keyed.scan(from, to, limit),
      };
      const wrapped = Object.create(stores, { keyed: { value: counting } }) as PartitionStores; // the same but for keyed
      return identityService.open(partition, partitions, wrapped, codecs);
    },
  };
}

function note(work: Work, bytes: number): void {
  work.calls += 1;
  work.bytes += bytes;
}

describe('patterns that no identifier may match', () => {
  test('are paid for by their workspace, at each call by the names in it', () => {
    const pattern = (letter: string) => `(?:[ab]?[${letter}-z]*){180}!$`;
    const guards = { illegal_patterns: ['c', 'd', 'e'].map(pattern) };
    const shops = [new Scenario('shop'), new Scenario('shop').settings({ guards })];
    const units = shops.map((shop) => {
      const { processor } = shop.harness;
      const onRecord = processor.onRecord.bind(processor);
      let last = 0;
      const counted: typeof onRecord = (...record) => {
        onRecord(...record);
        last = processor.takeUnits?.() ?? 0;
      };
      Object.assign(processor, { onRecord: counted });
      shop.claim({ path: 'a'.repeat(150), anonymousId: 'v1' });
      return last;
    });
    expect(units[0]).toBe(0);
    expect(units[1]).toBeGreaterThan(10_000);
  });
});

describe('a person of very many visitors', () => {
  test('10,000 anonymous ids on one email: the last claim does the work of the tenth', () => {
    const work: Work = { calls: 0, bytes: 0 };
    const shop = new Scenario('shop', counted(work));
    const claimCost = (anonymousId: string): Work => {
      Object.assign(work, { calls: 0, bytes: 0 });
      expect(shop.claim({ path: 'ann@example.com', anonymousId }).kind).toBe('granted');
      return { ...work };
    };
    let early: Work = work;
    for (let each = 0; each < 10_000; each += 1) {
      const cost = claimCost(`visitor-${String(each)}`);
      if (each === 10) early = cost;
      if (each !== 9_999) continue;
      expect(cost.calls).toBe(early.calls);
      expect(cost.bytes - early.bytes).toBeLessThan(64); // numbers with more digits
    }
    shop.claim({ path: '42' });
    Object.assign(work, { calls: 0, bytes: 0 });
    shop.merge('42', 'ann@example.com');
    expect(work.calls).toBeLessThan(40);
    expect(shop.graph.ownerOf('visitor-77')).toBe(shop.person('42')?.personId);
  });

  test('a chain of 2,000 merges is walked once; after that an old visitor costs as much as a new one', () => {
    const work: Work = { calls: 0, bytes: 0 };
    const shop = new Scenario('shop', counted(work));
    const length = 2_000;
    shop.claim({ path: 'p0', anonymousId: 'first' });
    for (let each = 1; each < length; each += 1) {
      shop.claim({ path: `p${String(each)}` });
      shop.merge(`p${String(each)}`, `p${String(each - 1)}`);
    }
    const cost = (): number => {
      work.calls = 0;
      shop.claim({ path: `p${String(length - 1)}`, anonymousId: 'first' });
      return work.calls;
    };
    expect(cost()).toBeGreaterThan(length);
    expect(cost()).toBeLessThan(30);
  });
});

describe('merge cycles', () => {
  test('A into B, B into A, C into both: one person is left', () => {
    const shop = new Scenario();
    for (const id of ['a', 'b', 'c']) shop.claim({ path: id, anonymousId: `v-${id}` });
    for (const [primary, secondary] of [
      ['b', 'a'],
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'b'],
    ] as const) {
      shop.merge(primary, secondary);
    }
    const owners = ['v-a', 'v-b', 'v-c'].map((visitor) => shop.graph.ownerOf(visitor));
    expect(new Set(owners)).toEqual(new Set([shop.person('b')?.personId]));
  });

  test('people born again between merges form no cycle', () => {
    const shop = new Scenario();
    for (let round = 0; round < 50; round += 1) {
      shop.claim({ path: 'a', anonymousId: `a${String(round)}` });
      shop.claim({ path: 'b', anonymousId: `b${String(round)}` });
      if (round % 2 === 0) shop.merge('a', 'b');
      else shop.merge('b', 'a');
    }
    for (let round = 0; round < 50; round += 1) {
      const owner = shop.graph.ownerOf(`a${String(round)}`) ?? '';
      expect(shop.graph.person(owner)?.state).toBe('alive');
    }
  });
});

describe('strange identifiers', () => {
  test('case twins are one email and two ids', () => {
    const shop = new Scenario();
    const email = shop.claim({ path: 'Ann@Example.com' });
    expect(shop.claim({ path: 'ANN@example.com' }).person_id).toBe(email.person_id);
    const id = shop.claim({ path: 'Ann' });
    expect(shop.claim({ path: 'ann' }).person_id).not.toBe(id.person_id);
  });

  test.each([
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['150 bytes', 'a'.repeat(150)],
    ['150 bytes of two-byte letters', 'é'.repeat(75)],
    ['5,000 bytes', 'x'.repeat(5_000)],
    ['slashes', 'a/b/c'],
    ['a hash sign', '#'],
    ['an escaped NUL', '%00'],
    ['a character of four bytes', '🜚 lead'],
  ])('%s: names a person like any other, and a visitor', (_case, value) => {
    const shop = new Scenario();
    const path = { kind: 'id', value } as const;
    const first = shop.claim({ path, anonymousId: `visitor ${value}` });
    expect(first).toMatchObject({ kind: 'granted', person_created: true });
    expect(shop.claim({ path, anonymousId: `visitor ${value}` })).toMatchObject({
      person_id: first.person_id,
      reason: null,
    });
    expect(shop.graph.ownerOf(`visitor ${value}`)).toBe(first.person_id);
    shop.control('delete', path);
    expect(shop.claim({ path })).toMatchObject({ person_created: true });
  });

  test('a long value and the text of its hash are two people', () => {
    const shop = new Scenario();
    const long = { kind: 'id', value: 'x'.repeat(5_000) } as const;
    const first = shop.claim({ path: long });
    const [key] = shop.harness.stores.keyed.scan('i/', 'i0', 1)[0] ?? [''];
    const hash = key.split('/').at(-1) ?? '';
    expect(hash).toMatch(/^#[0-9a-f]{64}$/);
    expect(shop.claim({ path: { kind: 'id', value: hash } }).person_id).not.toBe(first.person_id);
  });

  test('unpaired surrogates become replacement characters on the wire, and the person is found again', () => {
    const shop = new Scenario();
    const first = shop.claim({ path: { kind: 'id', value: 'a\ud800b' } });
    expect(shop.claim({ path: { kind: 'id', value: 'a\ud800b' } }).person_id).toBe(first.person_id);
  });

  test('a NUL and an empty text name nobody', () => {
    const shop = new Scenario();
    for (const value of ['\u0000', '', '   ']) {
      expect(shop.claim({ path: { kind: 'id', value } })).toMatchObject({ reason: 'identifier_illegal' });
    }
  });
});

describe('a cio_id is not to be computed', () => {
  const made = (call: Partial<IdentityRequest>): string => {
    const shop = new Scenario('shop');
    const request = shop.claimRequest({ path: 'ada', anonymousId: 'visitor' }, { message_id: 'm1', ...call });
    const [reply] = of('identityDecisions', shop.send(request));
    return reply?.value.person_id ?? '';
  };

  test('by who knows the workspace and counts: it hangs on what the call said that made the person', () => {
    const calls: readonly Partial<IdentityRequest>[] = [
      {},
      { message_id: 'm2' },
      { identifier: 'bob' },
      { anonymous_id: 'other', lane: 'shop:a:other' },
      { received_at: START + 1 },
    ];
    const ids = calls.map(made);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.map((id) => /^cio_[0-9a-f]{20}$/.test(id))).toEqual(ids.map(() => true));
    expect(calls.map(made)).toEqual(ids);
  });

  test('and one call that makes a person beside another makes two', () => {
    const shop = new Scenario('shop');
    const again = shop.claimRequest({ path: 'ada' }, { message_id: 'm1' });
    const one = of('identityDecisions', shop.send(again))[0]?.value.person_id;
    shop.control('delete', 'ada');
    const other = {
      ...again,
      request_number: again.request_number + 1,
      source_offset: again.source_offset + 1,
    };
    const two = of('identityDecisions', shop.send(other))[0]?.value.person_id;
    expect(one).toBeDefined();
    expect(two).not.toBe(one);
  });
});
