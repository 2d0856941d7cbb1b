/** Whoever did it and is not counted is told which test of the event did not hold. */
import { expect, test } from '@jest/globals';
import { leavesOf } from './condition.ts';
import type { RuleEvent } from './matching.ts';
import { awaitedBy, missesText, missesToldMax, nearMisses } from './near-miss.ts';
import { parseSegment } from './parse.ts';
import { PatternSteps } from './pattern-steps.ts';

const T0 = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;

function event(name: string, properties: Readonly<Record<string, unknown>>, time = T0): RuleEvent {
  const messageId = `${name} ${String(time)}`;
  return { name, type: 'event', messageId, time, receivedAt: time, properties: () => properties };
}

function missed(when: unknown, value: unknown, events: readonly RuleEvent[]) {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  const [leaf] = leavesOf(parsed.value.when);
  const awaited = leaf && awaitedBy(leaf, value);
  if (awaited === undefined) return undefined;
  const misses = nearMisses(awaited, { events, now: T0, patterns: new PatternSteps() });
  return [misses.count, missesText(misses)];
}
const dear = { property: 'total', operator: 'gte', value: 200 };
const orders = { event: 'Order', where: [dear], within: 'P90D' };

test('each by its time, what was found and what was asked; a text is said to be one', () => {
  expect(missed(orders, 0, [event('Order', { total: '250' }), event('Order', {}, T0 - DAY)])).toEqual([
    2,
    '; not counted are 2 of another content: at 2026-01-05T12:00:00.000Z total is "250", a text (asked is gte 200); at 2026-01-04T12:00:00.000Z total is not there (asked is gte 200)',
  ]);
});

test('nothing of what is counted, is another event, or lies outside of the window', () => {
  const others = [
    event('Order', { total: 300 }),
    event('Cart', {}),
    event('Order', { total: 1 }, T0 - 90 * DAY),
  ];
  expect(missed(orders, 0, others)).toEqual([0, '']);
});

test('nothing where enough are counted, where nothing is asked, or where fewer are asked for', () => {
  expect(missed(orders, 1, [event('Order', {})])).toBeUndefined();
  expect(missed({ event: 'Order' }, 0, [])).toBeUndefined();
  expect(missed({ ...orders, count: { at_most: 2 } }, 1, [])).toBeUndefined();
});

test('of different values those events that have none', () => {
  const three = { event: 'View', count: { distinct: 'sku', at_least: 3 } };
  expect(
    missed(three, 1, [event('View', { sku: 'a' }), event('View', { sku: ['a'] }), event('View', {})]),
  ).toEqual([
    2,
    expect.stringMatching(
      /sku, whose values are counted, is no text.*sku, whose values are counted, is not there/,
    ),
  ]);
});

test('of a stall what would begin it, and of a sequence its next step', () => {
  const cart = { event: 'Cart', where: [dear] };
  const stall = { ...cart, without: { event: 'Order' }, for: 'PT1H' };
  expect(missed(stall, 'none', [event('Cart', { total: 5 })])?.[0]).toBe(1);
  expect(missed(stall, 'running', [event('Cart', { total: 5 })])).toBeUndefined();
  const steps = { sequence: [{ event: 'View' }, cart] };
  expect(missed(steps, 1, [event('Cart', { total: 5 })])?.[0]).toBe(1);
  expect(missed(steps, 0, [event('Cart', { total: 5 })])).toBeUndefined();
});

test('the newest are told, and how many more', () => {
  const many = Array.from({ length: missesToldMax + 2 }, (_, n) => event('Order', { total: n }, T0 - n));
  const [count, says] = missed(orders, 0, many) ?? [];
  expect([count, says]).toEqual([missesToldMax + 2, expect.stringMatching(/, and 2 more$/)]);
});

test('where tests take more than there is, nothing is said', () => {
  const where = [{ property: 'note', operator: 'matches', value: `(${'a?'.repeat(200)}){2}` }];
  const many = Array.from({ length: 50 }, (_, n) => event('Order', { note: 'b'.repeat(1_000) }, T0 - n));
  expect(missed({ event: 'Order', where }, 0, many)).toEqual([0, '']);
});
