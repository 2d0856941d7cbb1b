/** When a segment will change, through however many that it asks for; what is said is held against what then happens. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Shop } from '../testing/scenarios/explain-shop.ts';
import {
  DAY,
  MINUTE,
  T0,
  Trigger,
  happened,
  identified,
  watermark,
} from '../testing/scenarios/trigger-scenario.ts';
import { of } from '../testing/processor-harness.ts';
import { runs } from '../testing/runs.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const viewed = { event: 'Product Viewed', within: 'PT10M' };
const view = (at: number, id = `v${String(at)}`) => happened({ name: 'Product Viewed', id, at });

describe('when a segment changes by itself', () => {
  test('is said of one that goes by another alone, and of one that goes by that', () => {
    const shop = new Shop()
      .segment('viewed', viewed)
      .segment('hot', { any: [{ segment: 'viewed' }, { attribute: 'plan', operator: 'eq', value: 'gold' }] })
      .segment('cold', { not: { segment: 'hot' } });
    shop.feed(view(T0), watermark(0, T0 + MINUTE));
    const at = iso(T0 + 10 * MINUTE);
    for (const id of ['viewed', 'hot', 'cold']) {
      expect([id, shop.explained('segment', id)]).toMatchObject([id, { changes_at: at }]);
    }
    expect(shop.explained('segment', 'hot')).toMatchObject({
      conditions: [{ value: true, changes_at: at }, { value: null }],
    });
  });

  test('goes through moments at which a part turns and the whole does not', () => {
    const later = { event: 'Added to Cart', within: 'PT30M' };
    const shop = new Shop()
      .segment('viewed', viewed)
      .segment('cart', later)
      .segment('busy', { any: [{ segment: 'viewed' }, { segment: 'cart' }] })
      .segment('kept', {
        any: [{ segment: 'viewed' }, { attribute: 'plan', operator: 'eq', value: 'gold' }],
      });
    shop.feed(
      identified({ id: 'i', at: T0, properties: { plan: 'gold' } }),
      view(T0),
      happened({ id: 'c', at: T0 }),
      watermark(0, T0 + MINUTE),
    );
    expect(shop.explained('segment', 'busy')).toMatchObject({ changes_at: iso(T0 + 30 * MINUTE) });
    expect(shop.explained('segment', 'kept')).not.toHaveProperty('changes_at');
  });

  test('and of the filters of a journey', () => {
    const shop = new Shop()
      .segment('viewed', viewed)
      .journey('j', { event: 'Added to Cart' }, { filters: { not: { segment: 'viewed' } } });
    shop.feed(view(T0), watermark(0, T0 + MINUTE));
    expect(shop.explained('journey', 'j')).toMatchObject({
      ...{ result: false, reason: 'filters_not_met' },
      conditions: [{ value: true, changes_at: iso(T0 + 10 * MINUTE) }],
    });
  });

  test('of one whose members are put in by call nothing is said', () => {
    const shop = new Shop().segment('vips', { segment: 'hand' });
    shop.harness.define('segment', 'default', 'hand', { name: 'By hand', type: 'manual' });
    shop.feed(view(T0), watermark(0, T0 + MINUTE));
    expect(shop.explained('segment', 'vips')).not.toHaveProperty('changes_at');
  });
});

const leaf = fc.oneof(
  fc.constantFrom('PT5M', 'PT10M', 'PT1H').map((within) => ({ ...viewed, within })),
  fc.constantFrom('PT5M', 'PT20M').map((time) => ({
    ...{ event: 'Product Viewed', without: { event: 'Added to Cart' }, for: time, within: 'PT2H' },
  })),
  fc.constantFrom('a', 'b').map((segment) => ({ segment })),
);
const group = (of: fc.Arbitrary<object>) =>
  fc.oneof(
    of,
    of.map((not) => ({ not })),
    fc
      .tuple(fc.constantFrom('all', 'any'), fc.array(of, { minLength: 1, maxLength: 3 }))
      .map(([how, list]) => ({
        [how]: list,
      })),
  );
/** Each may ask for those before it. */
const ruleOf = (known: readonly string[]) =>
  group(leaf.map((one) => ('segment' in one && !known.includes(one.segment) ? viewed : one)));

test('property: what is said of the next change is what time brings, and nothing turns before', () => {
  let [turns, rests] = [0, 0];
  const event = fc.record({ cart: fc.boolean(), at: fc.integer({ min: 0, max: 40 }) });
  fc.assert(
    fc.property(
      ruleOf([]),
      ruleOf(['a']),
      ruleOf(['a', 'b']),
      fc.array(event, { maxLength: 5 }),
      (a, b, c, events) => {
        const shop = new Shop().segment('a', a).segment('b', b).segment('c', c);
        const trigger = new Trigger().segment('a', a).segment('b', b).segment('c', c);
        const records = [...events]
          .sort((one, other) => one.at - other.at)
          .map(({ cart, at }, index) =>
            happened({
              ...{ name: cart ? 'Added to Cart' : 'Product Viewed', id: `m${String(index)}` },
              at: T0 + at * MINUTE,
            }),
          );
        const [now, first] = [T0 + 45 * MINUTE, identified({ id: 'i', at: T0, properties: {} })];
        shop.feed(first, ...records, watermark(0, now));
        trigger.feed(first, ...records);
        trigger.until(now);
        const before = trigger.harness.outputs.length;
        trigger.until(now + DAY);
        const turned = of('segmentsChanged', trigger.harness.outputs.slice(before))
          .map(({ value }) => value)
          .find(({ segment_id: id }) => id === 'c');
        const { result, changes_at: said } = shop.explained('segment', 'c');
        if (turned === undefined) rests += 1;
        else turns += 1;
        expect(said).toBe(turned && iso(turned.at));
        expect(result).toBe(turned === undefined ? result : turned.change === 'left');
      },
    ),
    { numRuns: runs(60) },
  );
  expect([turns > 0, rests > 0]).toEqual([true, true]);
});
