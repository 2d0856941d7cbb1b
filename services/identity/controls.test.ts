/** Merge, delete, suppress, unsuppress and split: spec C.3, C.1 rows 24 and 25, E row 104. */
import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import { activities, news, Scenario, START } from '../testing/scenarios/identity-scenario.ts';

describe('merging people', () => {
  const two = (): { shop: Scenario; a: string; b: string } => {
    const shop = new Scenario();
    const a = shop.claim({ path: '1', anonymousId: 'phone' }).person_id ?? '';
    shop.now += 1_000;
    const b = shop.claim({ path: '2', email: 'two@example.com', anonymousId: 'laptop' }).person_id ?? '';
    return { shop, a, b };
  };

  test('C.3, E row 104: the secondary is absorbed: its identifiers fill gaps, the others name nobody, its visitors are the primary’s', () => {
    const { shop, a, b } = two();
    shop.merge('1', '2');
    expect(shop.person('1')).toMatchObject({
      personId: a,
      id: '1',
      email: 'two@example.com',
      firstSeenAt: START,
    });
    expect(shop.person('two@example.com')?.personId).toBe(a);
    expect(shop.graph.ownerOf('laptop')).toBe(a);
    expect(shop.person('2')).toBeUndefined();
    expect(shop.resolve(b)).toMatchObject({ kind: 'refused', reason: 'unknown_cio_id' });
    expect(shop.resolve('2')).toMatchObject({ person_created: true });
  });

  test('C.3: everyone is told: both streams, every lane partition, both people, the activity log', () => {
    const { shop, a, b } = two();
    const outputs = shop.merge('1', '2');
    const fact = shop.facts().at(-1);
    expect(fact).toMatchObject({ kind: 'person_absorbed', person_id: b, other_person_id: a });
    expect(of('eventsMerged', outputs).map(({ key, value }) => [key, value])).toMatchObject([
      [
        `shop:${a}`,
        { kind: 'absorb', person_id: a, other_person_id: b, fact_number: fact?.number, event: null },
      ],
      [`shop:${b}`, { kind: 'absorbed', person_id: b, other_person_id: a, fact_number: fact?.number }],
    ]);
    expect(news(outputs)).toMatchObject([
      { kind: 'absorbed', person_id: b, other_person_id: a, lane: null, fact_number: fact?.number },
    ]);
    expect(JSON.parse(news(outputs)[0]?.detail ?? '')).toEqual({
      cause: 'merge',
      moved: [{ kind: 'email', value: 'two@example.com' }],
      freed: [{ kind: 'id', value: '2' }],
    });
    const people = of('peopleChanged', outputs);
    expect(people.map(({ key }) => key).sort()).toEqual([`shop:${a}:graph`, `shop:${b}:graph`].sort());
    expect(people.find(({ value }) => value.person_id === b)?.value).toMatchObject({
      aspect: 'graph',
      state: 'absorbed',
      absorbed_into: a,
      id: null,
      email: null,
      version: fact?.number,
    });
    expect(activities(outputs)).toMatchObject([
      { kind: 'Person Merged', person: a, detail: { absorbed: b } },
    ]);
  });

  test.each([
    ['an unknown primary', '9', '2', 'merge_unknown_person'],
    ['an unknown secondary', '1', '9', 'merge_unknown_person'],
    ['one person twice', '2', 'two@example.com', 'merge_same_person'],
  ])('C.3: %s: nothing happens but a row and an activity', (_case, primary, secondary, reason) => {
    const { shop } = two();
    const before = shop.facts().length;
    const outputs = shop.merge(primary, secondary);
    expect(shop.facts()).toHaveLength(before);
    expect(of('eventsDropped', outputs)).toMatchObject([{ value: { reason, stage: 'identity' } }]);
    expect(activities(outputs)).toMatchObject([{ kind: 'Failed Merge', detail: { reason } }]);
  });

  test('C.1 row 29: the survivor was first seen when the older of the two was, whoever absorbs whom', () => {
    for (const [primary, secondary] of [
      ['old', 'young'],
      ['young', 'old'],
    ] as const) {
      const shop = new Scenario();
      const seen = shop.now;
      shop.claim({ path: 'old' });
      shop.now += 1_000;
      shop.claim({ path: 'young' });
      shop.merge(primary, secondary);
      expect(shop.person(primary)?.firstSeenAt).toBe(seen);
    }
  });

  test('C.3: a chain of merges ends at the last survivor, however long, and no cycle forms', () => {
    const shop = new Scenario();
    const length = 300;
    for (let each = 0; each < length; each += 1) {
      shop.claim({ path: `p${String(each)}`, anonymousId: `v${String(each)}` });
    }
    for (let each = 1; each < length; each += 1) shop.merge(`p${String(each)}`, `p${String(each - 1)}`);
    const last = shop.person(`p${String(length - 1)}`)?.personId;
    for (let each = 0; each < length; each += 1) expect(shop.graph.ownerOf(`v${String(each)}`)).toBe(last);
    expect(of('eventsDropped', shop.merge('p0', `p${String(length - 1)}`))).toHaveLength(1);
  });

  test('C.3: merges a minute above the limit are refused with a reason', () => {
    const shop = new Scenario().settings({ guards: { merges_per_minute: 2 } });
    for (const path of ['1', '2', '3', '4', '5']) shop.claim({ path });
    shop.merge('1', '2');
    shop.merge('1', '3');
    expect(of('eventsDropped', shop.merge('1', '4'))).toMatchObject([
      { value: { reason: 'too_many_merges' } },
    ]);
    shop.claim({ path: 'ann@example.com' });
    const reply = shop.claim({ path: 'ann@example.com', id: '5' });
    expect(reply.detail).toContain('too_many_merges');
    shop.now += 60_000;
    expect(of('eventsDropped', shop.merge('1', '4'))).toEqual([]);
  });
});

test('C.3: the survivor’s stream is told what identifiers they have after the merge', () => {
  const shop = new Scenario();
  const a = shop.claim({ path: '1' }).person_id ?? '';
  shop.claim({ path: 'two@example.com', id: '2' });
  const [absorb] = of('eventsMerged', shop.merge('1', 'two@example.com'));
  expect(absorb).toMatchObject({
    key: `shop:${a}`,
    value: { kind: 'absorb', known_id: '1', known_email: 'two@example.com' },
  });
  expect(absorb?.value.known_as_of).toBe(shop.graph.person(a)?.version);
});

describe('deleting people', () => {
  test('A.1: the profile goes, its identifiers are free, everyone is told', () => {
    const shop = new Scenario();
    const gone = shop.claim({ path: '42', email: 'ann@example.com', anonymousId: 'v' }).person_id ?? '';
    const outputs = shop.control('delete', 'ann@example.com');
    expect(of('eventsMerged', outputs)).toMatchObject([
      { key: `shop:${gone}`, value: { kind: 'deleted', person_id: gone } },
    ]);
    expect(news(outputs)).toMatchObject([{ kind: 'deleted', person_id: gone }]);
    expect(of('peopleChanged', outputs)).toMatchObject([
      { value: { person_id: gone, state: 'deleted', id: null, email: null } },
    ]);
    expect(activities(outputs)).toMatchObject([{ kind: 'Person Deleted', person: gone }]);
    const born = shop.claim({ path: '42' });
    expect(born).toMatchObject({ person_created: true });
    expect(born.person_id).not.toBe(gone);
  });

  test('deleting nobody leaves a row that says so', () => {
    const shop = new Scenario();
    expect(of('eventsDropped', shop.control('delete', '42'))).toMatchObject([
      { value: { reason: 'person_unknown' } },
    ]);
    expect(of('eventsDropped', shop.control('delete', 'cio_42'))).toMatchObject([
      { value: { reason: 'unknown_cio_id' } },
    ]);
  });
});

describe('suppressing people', () => {
  test('A.1: the profile goes and both its identifiers are blocked, until either is unsuppressed', () => {
    const shop = new Scenario();
    const gone = shop.claim({ path: '42', email: 'ann@example.com' }).person_id ?? '';
    const outputs = shop.control('suppress', '42');
    expect(news(outputs)).toMatchObject([
      { kind: 'deleted', person_id: gone },
      { kind: 'suppressed', person_id: gone, identifier_kind: 'id', identifier: '42' },
      { kind: 'suppressed', person_id: gone, identifier_kind: 'email', identifier: 'ann@example.com' },
    ]);
    for (const path of ['42', 'ANN@example.com']) {
      expect(shop.resolve(path)).toMatchObject({ kind: 'refused', reason: 'identifier_suppressed' });
    }
    expect(shop.claim({ path: '43', email: 'ann@example.com' }).reason).toBe('identifier_suppressed');
    expect(shop.control('suppress', '42')).toEqual([]);

    expect(news(shop.control('unsuppress', 'ann@example.com'))).toMatchObject([
      { kind: 'unsuppressed', identifier: '42' },
      { kind: 'unsuppressed', identifier: 'ann@example.com' },
    ]);
    expect(shop.resolve('42')).toMatchObject({ kind: 'resolved', person_created: true });
    expect(shop.resolve('ann@example.com')).toMatchObject({ kind: 'resolved', person_created: true });
  });

  test('A.1: what was suppressed by cio_id is unsuppressed by it', () => {
    const shop = new Scenario();
    const gone = shop.claim({ path: '42' }).person_id ?? '';
    shop.control('suppress', gone);
    expect(shop.resolve('42').kind).toBe('refused');
    shop.control('unsuppress', gone);
    expect(shop.resolve('42').kind).toBe('resolved');
    expect(news(shop.control('unsuppress', gone))).toEqual([]);
  });

  test('A.1: an identifier of nobody can be blocked before it ever comes', () => {
    const shop = new Scenario();
    shop.control('suppress', 'ann@example.com');
    expect(shop.resolve('ann@example.com').reason).toBe('identifier_suppressed');
    shop.control('unsuppress', 'ann@example.com');
    expect(shop.resolve('ann@example.com').kind).toBe('resolved');
  });
});

describe('splitting people', () => {
  const merged = (): { shop: Scenario; a: string } => {
    const shop = new Scenario();
    const a = shop.claim({ path: '1', anonymousId: 'phone' }).person_id ?? '';
    shop.claim({ path: 'two@example.com', anonymousId: 'laptop' });
    shop.merge('1', 'two@example.com');
    return { shop, a };
  };

  test('named visitors and identifiers go to a new person; everyone is told who asked and why', () => {
    const { shop, a } = merged();
    const outputs = shop.split('1', {
      anonymous_ids: ['laptop', 'laptop', 'stranger'],
      identifiers: [{ kind: 'email', value: 'TWO@example.com' }],
      into: null,
      by: 'support',
      why: 'wrong customer',
    });
    const born = shop.person('two@example.com')?.personId ?? '';
    expect(born).not.toBe(a);
    expect(shop.person('1')).toMatchObject({ personId: a, email: null });
    expect(shop.graph.ownerOf('laptop')).toBe(born);
    expect(shop.graph.ownerOf('phone')).toBe(a);
    expect(shop.facts().slice(-4)).toMatchObject([
      { kind: 'person_created', person_id: born },
      { kind: 'person_split', person_id: born, other_person_id: a },
      { kind: 'identifier_moved', person_id: born, other_person_id: a, identifier: 'two@example.com' },
      { kind: 'anonymous_moved', person_id: born, other_person_id: a, identifier: 'laptop' },
    ]);
    expect(news(outputs)).toMatchObject([{ kind: 'split', person_id: a, other_person_id: born }]);
    expect(JSON.parse(news(outputs)[0]?.detail ?? '')).toMatchObject({
      anonymous_ids: ['laptop'],
      why: 'wrong customer',
    });
    expect(of('peopleChanged', outputs).map(({ value }) => [value.person_id, value.state])).toEqual([
      [born, 'alive'],
      [a, 'alive'],
    ]);
    expect(activities(outputs)).toMatchObject([
      {
        kind: 'Person Split',
        person: a,
        detail: {
          by: 'support',
          why: 'wrong customer',
          not_moved: { anonymous_ids: ['stranger'] },
          rules: 'cleared',
        },
      },
      { kind: 'Person Split', person: born },
    ]);
  });

  test('the streams of both are told, with what each of them has now', () => {
    const { shop, a } = merged();
    const outputs = shop.split('1', { anonymous_ids: ['laptop'], identifiers: ['two@example.com'] });
    const born = shop.person('two@example.com')?.personId ?? '';
    const [fact] = shop.facts().filter(({ kind }) => kind === 'person_split');
    const last = shop.graph.person(born)?.version;
    const both = { kind: 'split', merged_at: shop.now, fact_number: fact?.number, event: null };
    expect(of('eventsMerged', outputs)).toMatchObject([
      { key: `shop:${a}`, value: { ...both, other_person_id: born, known_id: '1', known_email: null } },
      {
        key: `shop:${born}`,
        value: {
          ...both,
          other_person_id: a,
          known_as_of: last,
          known_id: null,
          known_email: 'two@example.com',
        },
      },
    ]);
  });

  test('into another person, who keeps identifiers of their own', () => {
    const { shop } = merged();
    const three = shop.claim({ path: 'three@example.com' }).person_id;
    shop.split('1', {
      anonymous_ids: ['laptop'],
      identifiers: ['two@example.com'],
      into: 'three@example.com',
    });
    expect(shop.graph.ownerOf('laptop')).toBe(three);
    expect(shop.person('1')?.email).toBe('two@example.com');
  });

  test('into an identifier of nobody, and into one that is itself split off', () => {
    const { shop, a } = merged();
    shop.split('1', { anonymous_ids: ['laptop'], into: '77' });
    expect(shop.graph.ownerOf('laptop')).toBe(shop.person('77')?.personId);
    shop.split('1', { anonymous_ids: ['phone'], identifiers: ['two@example.com'], into: 'two@example.com' });
    expect(shop.graph.ownerOf('phone')).toBe(shop.person('two@example.com')?.personId);
    expect(shop.person('1')?.personId).toBe(a);
  });

  test.each([
    ['nobody', '9', { anonymous_ids: ['laptop'] }, 'person_unknown'],
    ['nothing of theirs', '1', { anonymous_ids: ['stranger'] }, 'person_unknown'],
    ['into themselves', '1', { anonymous_ids: ['laptop'], into: '1' }, 'merge_same_person'],
    ['into an unknown cio_id', '1', { anonymous_ids: ['laptop'], into: 'cio_x' }, 'identifier_illegal'],
  ])('a split of %s changes nothing and says so', (_case, path, detail, reason) => {
    const { shop } = merged();
    const before = shop.facts().length;
    const outputs = shop.split(path, detail);
    expect(shop.facts()).toHaveLength(before);
    expect(of('eventsDropped', outputs)).toMatchObject([{ value: { reason } }]);
    expect(activities(outputs)).toMatchObject([{ kind: 'Failed Split' }]);
  });
});
