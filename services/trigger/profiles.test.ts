import { describe, expect, test } from '@jest/globals';
import { of } from '../testing/processor-harness.ts';
import { ExactNumber } from '../runtime/exact-json.ts';
import {
  DAY,
  MINUTE,
  T0,
  Trigger,
  absorb,
  absorbed,
  happened,
  identified,
  lines,
  profileOf,
  transfersOf,
} from '../testing/scenarios/trigger-scenario.ts';

function attributesAfter(...records: ReturnType<typeof identified>[]): unknown {
  const profile = profileOf(new Trigger().feed(...records));
  return JSON.parse(profile?.attributes ?? 'null');
}

describe('attributes of a person', () => {
  test('are those of the last writer, each by itself', () => {
    expect(
      attributesAfter(
        identified({ at: T0, properties: { a: 1, b: 1 } }),
        identified({ at: T0 + 2, properties: { b: 3 } }),
        identified({ at: T0 + 1, properties: { a: 2, b: 2, c: 2 } }),
      ),
    ).toEqual({ a: 2, b: 3, c: 2 });
  });

  test('case 23: keep the digits that were sent, and rules go by them', () => {
    const sent = '{"account_number":9007199254740993,"in":[1e400],"price":0.1000000000000000055}';
    const trigger = new Trigger()
      .segment('same', {
        attribute: 'account_number',
        operator: 'eq',
        value: new ExactNumber('9007199254740993'),
      })
      .segment('rounded', { attribute: 'account_number', operator: 'eq', value: 9007199254740992 })
      .segment('above', { attribute: 'account_number', operator: 'gt', value: 9007199254740992 })
      .segment('listed', { attribute: 'in', operator: 'contains', value: new ExactNumber('1e400') });
    const outputs = trigger.feed(identified({ id: 'm1', fields: { properties: sent } }));
    expect(profileOf(outputs)?.attributes).toBe(sent);
    expect(lines(outputs).sort()).toEqual([
      'cio_a entered above because of m1',
      'cio_a entered listed because of m1',
      'cio_a entered same because of m1',
    ]);
    const next = trigger.feed(
      identified({ at: T0 + 1, properties: { plan: 'pro' } }),
      identified({ at: T0 + 2, fields: { properties: '{"account_number":9007199254740993}' } }),
    );
    expect(profileOf(next)?.attributes).toBe(`${sent.slice(0, -1)},"plan":"pro"}`);
    expect(of('peopleChanged', next)).toHaveLength(1); // the same digits again change nothing
    trigger.harness.reopen();
    trigger.feed(absorb('cio_b', 'cio_a', 7), absorbed('cio_a', 'cio_b', 7));
    const moved = trigger.feed(...transfersOf(trigger.harness.outputs));
    expect(profileOf(moved, 'cio_b')?.attributes).toBe(`${sent.slice(0, -1)},"plan":"pro"}`);
  });

  test('are ordered by _timestamp where it is sent, and by message id within a millisecond', () => {
    expect(
      attributesAfter(
        identified({ id: 'b', properties: { a: 'b', t: 'new' }, fields: { attributes_at: T0 - 1 } }),
        identified({ id: 'a', properties: { a: 'a' }, fields: { attributes_at: T0 - 1 } }),
        identified({ id: 'c', properties: { t: 'old' }, fields: { attributes_at: T0 - DAY } }),
      ),
    ).toEqual({ a: 'b', t: 'new' });
  });

  test('are removed by null and by an empty string, and an older value does not come back', () => {
    expect(
      attributesAfter(
        identified({ at: T0 + 5, properties: { a: null, b: '' } }),
        identified({ at: T0, properties: { a: 1, b: 1, c: 1 } }),
      ),
    ).toEqual({ c: 1 });
  });

  test('do not include what says who the person is or how to take the call', () => {
    const special = {
      id: '42',
      email: 'a@b.c',
      cio_id: 'cio_1',
      anonymous_id: 'x',
      _timestamp: 1,
      _update: true,
      cio_relationships: {},
    };
    expect(attributesAfter(identified({ properties: { ...special, plan: 'pro' } }))).toEqual({ plan: 'pro' });
  });

  test('keep any JSON and any name, __proto__ too', () => {
    const properties: object = JSON.parse(
      '{"__proto__":{"x":1},"list":[1,{"a":null}],"e\\u0000":true}',
    ) as object;
    expect(JSON.stringify(attributesAfter(identified({ properties })))).toBe(
      '{"__proto__":{"x":1},"list":[1,{"a":null}],"e\\u0000":true}',
    );
  });

  test('unsubscribed is true for true in any case, 1 and "1"', () => {
    for (const [sent, kept] of [
      ['TRUE', true],
      [1, true],
      ['1', true],
      ['no', false],
      [0, false],
    ]) {
      expect(attributesAfter(identified({ properties: { unsubscribed: sent } }))).toEqual({
        unsubscribed: kept,
      });
    }
  });

  test('acquisition_source is that of the first touch, whoever writes later (spec E row 101)', () => {
    expect(
      attributesAfter(
        identified({ at: T0 + 1, properties: { acquisition_source: 'tiktok' } }),
        identified({ at: T0 + 2, properties: { acquisition_source: 'email' } }),
        identified({ at: T0, properties: { acquisition_source: 'search' } }),
        identified({ at: T0 + 3, properties: { acquisition_source: null } }),
      ),
    ).toEqual({ acquisition_source: 'search' });
  });

  test('first_seen_at as sent is that of the first touch likewise, and not the time of the call (spec E row 101)', () => {
    expect(
      attributesAfter(
        identified({ at: T0 + 1, properties: { first_seen_at: 200 } }),
        identified({ at: T0 + 2, properties: { first_seen_at: 300 } }),
        identified({ at: T0, properties: { first_seen_at: 100 } }),
      ),
    ).toEqual({ first_seen_at: 100 });
  });

  test('of the first touch are set on identify, in order of what was anonymous before it (spec E row 101)', () => {
    const trigger = new Trigger().segment('search', {
      attribute: 'acquisition_source',
      operator: 'eq',
      value: 'search',
    });
    const past = { previouslyAnonymous: true, anonymousId: 'x', at: T0 - DAY, mergedAt: T0 };
    expect(
      trigger.then(
        happened({ ...past, properties: { acquisition_source: 'ad' } }),
        identified({ id: 'i', anonymousId: 'x', properties: { acquisition_source: 'search' } }),
        identified({ at: T0 + 1, properties: { acquisition_source: 'email' } }),
      ),
    ).toEqual(['cio_a entered search because of i']);
  });

  test('another email or phone is an attribute of the same person (spec E row 100)', () => {
    const known = { asOf: 2, id: '42', email: null };
    expect(
      attributesAfter(
        identified({ properties: { phone: '+4711' }, fields: { id: '42' }, known }),
        identified({ at: T0 + 1, properties: { phone: '+4722' }, fields: { id: '42' } }),
      ),
    ).toEqual({ phone: '+4722' });
  });

  test('are bounded, and what is left out is named in a row of dropped', () => {
    const many = (from: number) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`a${String(from + index)}`, 1]));
    const outputs = new Trigger().feed(
      identified({ properties: many(0) }),
      identified({ id: 'i2', at: T0 + 1, properties: many(299) }),
      identified({ id: 'i3', at: T0 + 2, properties: { a0: 2, more: 1, last: 1 } }),
    );
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      {
        reason: 'limit_exceeded',
        message_id: 'i3',
        person_id: 'cio_a',
        detail: '{"attributes":["last"],"count":1}',
      },
    ]);
    expect(JSON.parse(profileOf(outputs)?.attributes ?? '')).toMatchObject({ a0: 2, more: 1 });
  });
});

describe('the published profile', () => {
  test('cases 20 and 22: says created_at from whatever says a time, and from no zero', () => {
    const created = (properties: object) =>
      profileOf(new Trigger().feed(identified({ properties })))?.created_at;
    const at = Date.UTC(2024, 2, 5, 10);
    const spellings = [
      at,
      at / 1_000,
      String(at),
      '2024-03-05 10:00:00 +0000',
      'Tue, 05 Mar 2024 10:00:00 GMT',
    ];
    for (const createdAt of spellings) expect([createdAt, created({ createdAt })]).toEqual([createdAt, at]);
    expect(created({ created_at: String(at / 1_000) })).toBe(at);
    expect(created({ created_at: at })).toBeNull(); // Track's seconds, which lie beyond all years
    for (const zero of [
      0,
      '0',
      '1970-01-01T00:00:00Z',
      '0001-01-01T00:00:00Z',
      -62_135_596_800,
      '1969-12-31T16:00:00Z',
    ]) {
      expect([zero, created({ createdAt: zero }), created({ created_at: zero })]).toEqual([zero, null, null]);
      expect(created({ created_at: zero, createdAt: '2024-03-05T10:00:00Z' })).toBe(at);
    }
  });

  test('says created_at from created_at in seconds or createdAt in ISO 8601', () => {
    const created = (properties: object) =>
      profileOf(new Trigger().feed(identified({ properties })))?.created_at;
    expect(created({ created_at: 1_700_000_000 })).toBe(1_700_000_000_000);
    expect(created({ createdAt: '2024-02-03T04:05:06.007Z' })).toBe(Date.UTC(2024, 1, 3, 4, 5, 6, 7));
    expect(created({ created_at: 'yesterday', createdAt: ['2024-02-03'] })).toBeNull();
  });

  test.each([
    ['yesterday'],
    [{ day: 5 }],
    [true],
    ['  '],
    [0],
    [1e30],
    ['99999-01-01T00:00:00Z'],
    [[1_700_000_000]],
  ])('keeps the created_at that was said before %j, which is an attribute as it was sent', (bad) => {
    for (const name of ['created_at', 'createdAt']) {
      const trigger = new Trigger();
      trigger.feed(identified({ properties: { [name]: 1_700_000_000, plan: 'pro' } }));
      const after = profileOf(trigger.feed(identified({ at: T0 + 1, properties: { [name]: bad } })));
      expect(after?.created_at).toBe(1_700_000_000_000);
      expect(JSON.parse(after?.attributes ?? '')).toEqual({ [name]: bad, plan: 'pro' });
      trigger.harness.reopen();
      const again = trigger.feed(identified({ at: T0 + 2, properties: { plan: 'free' } }));
      expect(profileOf(again)?.created_at).toBe(1_700_000_000_000);
      const removed = trigger.feed(identified({ at: T0 + 3, properties: { [name]: '' } }));
      expect(profileOf(removed)?.created_at).toBeNull();
    }
  });

  test('says the created_at of a call that comes late, behind a value that says no time', () => {
    const trigger = new Trigger();
    const bad = profileOf(trigger.feed(identified({ at: T0 + 2, properties: { created_at: 'yesterday' } })));
    expect(bad?.created_at).toBeNull();
    const late = { at: T0 + 3, fields: { attributes_at: T0 + 1 }, properties: { created_at: 1_700_000_000 } };
    const after = profileOf(trigger.feed(identified(late)));
    expect(after).toMatchObject({ created_at: 1_700_000_000_000, attributes: '{"created_at":"yesterday"}' });
  });

  test('says the created_at of whom the person takes in, where its own says no time', () => {
    const trigger = new Trigger();
    trigger.feed(
      identified({ person: 'cio_a', properties: { created_at: 'yesterday' } }),
      identified({ person: 'cio_b', properties: { created_at: 1_700_000_000 } }),
      absorb('cio_a', 'cio_b', 7),
      absorbed('cio_b', 'cio_a', 7),
    );
    const merged = profileOf(trigger.feed(...transfersOf(trigger.harness.outputs)));
    expect(merged).toMatchObject({ created_at: 1_700_000_000_000, attributes: '{"created_at":"yesterday"}' });
  });

  test('says first_seen_at from the earliest event, merged ones too (spec C.1 row 29)', () => {
    const trigger = new Trigger();
    expect(profileOf(trigger.feed(identified({})))?.first_seen_at).toBe(T0);
    const old = happened({ at: T0 - DAY, mergedAt: T0, previouslyAnonymous: true, anonymousId: 'x' });
    expect(profileOf(trigger.feed(old))?.first_seen_at).toBe(T0 - DAY);
    expect(profileOf(trigger.feed(happened({ at: T0 + MINUTE, timestamp: T0 + DAY })))).toBeUndefined();
  });

  test('is whole, keyed by person and aspect, and published only when something has changed', () => {
    const trigger = new Trigger();
    const first = trigger.feed(
      identified({ properties: { plan: 'pro' }, fields: { id: '42', email: 'a@b.c' } }),
    );
    expect(of('peopleChanged', first)).toMatchObject([
      {
        key: 'default:cio_a:profile',
        value: { aspect: 'profile', state: 'alive', version: 1, attributes: '{"plan":"pro"}' },
      },
    ]);
    expect(trigger.feed(identified({ at: T0 + 1, properties: { plan: 'pro' } }))).toEqual([]);
    const [changed] = of('peopleChanged', trigger.feed(identified({ at: T0 + 2, properties: { age: 1 } })));
    expect(changed?.value).toMatchObject({ version: 2, attributes: '{"plan":"pro","age":1}' });
  });
});
