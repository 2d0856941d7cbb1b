/** Spec C.1 row 18: what visitors say of themselves fills, at the claim, what the person has not set. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { of, type Given } from '../testing/processor-harness.ts';
import {
  DAY,
  happened,
  identified,
  lines,
  MINUTE,
  profileOf,
  T0,
  Trigger,
} from '../testing/scenarios/trigger-scenario.ts';

/** Said at `at`, claimed at T0. */
function said(properties: object, at: number, rest: { visitor?: string; id?: string } = {}) {
  const { visitor = 'v', id = `said-${String(at)}` } = rest;
  const fields = { type: 'traits', name: null } as const;
  return happened({
    id,
    at,
    mergedAt: T0,
    previouslyAnonymous: true,
    anonymousId: visitor,
    properties,
    fields,
  });
}
const claims = (properties: object, at = T0, visitor = 'v') =>
  identified({ id: `claim-${String(at)}`, at, anonymousId: visitor, properties });
function attributesAfter(...records: readonly Given[]): unknown {
  return JSON.parse(profileOf(new Trigger().feed(...records))?.attributes ?? 'null');
}

describe('traits of a visitor', () => {
  test('are the person’s where the person has set nothing', () => {
    expect(attributesAfter(said({ quiz: 'dry', plan: 'trial' }, T0 - DAY), claims({ plan: 'pro' }))).toEqual({
      quiz: 'dry',
      plan: 'pro',
    });
  });

  test('leave alone what the person has set, however old, and what the person has removed', () => {
    const before = identified({ at: T0 - DAY, properties: { plan: 'pro', phone: '1' } });
    const removed = identified({ at: T0 - DAY / 2, properties: { phone: null } });
    expect(
      attributesAfter(before, removed, said({ plan: 'x', phone: '2' }, T0 - MINUTE), claims({})),
    ).toEqual({
      plan: 'pro',
    });
    const older = identified({
      at: T0,
      fields: { attributes_at: T0 - 400 * DAY },
      properties: { plan: 'old' },
    });
    expect(attributesAfter(said({ plan: 'x' }, T0 - MINUTE), older)).toEqual({ plan: 'old' });
  });

  test('the latest of them counts, and of the first touch the earliest that anybody said', () => {
    expect(
      attributesAfter(
        said({ quiz: 'dry', acquisition_source: 'tiktok' }, T0 - 2 * DAY),
        said({ quiz: 'oily', acquisition_source: 'mail' }, T0 - DAY),
        claims({ acquisition_source: 'form' }),
      ),
    ).toEqual({ quiz: 'oily', acquisition_source: 'tiktok' });
    expect(
      attributesAfter(
        identified({ at: T0 - 9 * DAY, properties: { acquisition_source: 'shop' } }),
        said({ acquisition_source: 'tiktok' }, T0 - DAY),
        claims({}),
      ),
    ).toEqual({ acquisition_source: 'shop' });
  });

  test('of one value the earliest time counts for the first touch, though nothing is another by it', () => {
    const touch = (id: string, at: number, source: string) =>
      identified({ id, at: T0 + at, properties: { acquisition_source: source } });
    expect(
      attributesAfter(
        touch('i3', 3, 'mail'),
        said({ acquisition_source: 'mail' }, T0 + 1),
        touch('i2', 2, 'ads'),
      ),
    ).toEqual({ acquisition_source: 'mail' });
  });

  test('name nobody: an email or an id among them is no attribute and no identifier', () => {
    const profile = profileOf(
      new Trigger().feed(said({ email: 'n/a', id: '7', anonymous_id: 'q', size: 'L' }, T0 - DAY), claims({})),
    );
    expect(JSON.parse(profile?.attributes ?? 'null')).toEqual({ size: 'L' });
  });

  test('turn segments; journeys that these start wait for the identify, whose attributes filters see', () => {
    const trigger = new Trigger()
      .segment('dry-skin', { attribute: 'quiz', operator: 'eq', value: 'dry' })
      .journey(
        'cream',
        { segment: 'dry-skin', on: 'enter' },
        {
          filters: { attribute: 'plan', operator: 'eq', value: 'pro' },
        },
      );
    const outputs = trigger.feed(said({ quiz: 'dry' }, T0 - DAY, { id: 's' }), claims({ plan: 'pro' }));
    expect(lines(outputs)).toEqual([
      'cio_a entered dry-skin because of s',
      'cio_a starts cream because of s',
    ]);
  });

  test('are no event: nothing counts them', () => {
    const trigger = new Trigger().segment('active', { event: 'Added to Cart' });
    expect(trigger.then(said({ name: 'Added to Cart' }, T0 - DAY), claims({}))).toEqual([]);
  });

  test('are bounded with the person’s other attributes: what has no room is told', () => {
    const many = (part: number) =>
      Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`p${String(part)}-${String(at)}`, 1]));
    const outputs = new Trigger().feed(
      ...[1, 2, 3].map((part) => said(many(part), T0 - part, { id: `s${String(part)}` })),
    );
    expect(Object.keys(JSON.parse(profileOf(outputs)?.attributes ?? '{}') as object)).toHaveLength(600);
    expect(of('eventsDropped', outputs).map(({ value }) => value)).toMatchObject([
      { reason: 'limit_exceeded', message_id: 's3' },
    ]);
  });

  test('in whatever order they and identifies come, the person ends with the same attributes', () => {
    const names = ['quiz', 'plan', 'acquisition_source', 'first_seen_at'];
    const bag = fc.dictionary(fc.constantFrom(...names), fc.constantFrom('a', 'b', 'c'));
    const one = fc.record({ said: fc.boolean(), at: fc.integer({ min: 1, max: 50 }), bag });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (all, chance) => {
        const records = all.map((each, index) => {
          const id = `m${String(index)}`;
          return each.said
            ? said(each.bag, T0 + each.at, { id })
            : identified({ id, at: T0 + each.at, properties: each.bag });
        });
        const shuffled = records
          .map((record) => [chance.next().value, record] as const)
          .sort(([a], [b]) => a - b)
          .map(([, record]) => record);
        expect(attributesAfter(...shuffled, claims({}))).toEqual(attributesAfter(...records, claims({})));
      }),
      { numRuns: 50 },
    );
  });
});
