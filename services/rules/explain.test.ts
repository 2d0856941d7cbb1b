import { expect, test } from '@jest/globals';
import { explain } from './explain.ts';
import { evidenceOf } from './history.ts';
import type { RuleEvent } from './matching.ts';
import { parseSegment } from './parse.ts';

const T0 = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;

function event(messageId: string, name: string, time: number): RuleEvent {
  return { name, type: 'event', messageId, time, receivedAt: time, properties: () => ({}) };
}

test('every line of a rule says what it found, which events count, and until when that holds', () => {
  const parsed = parseSegment({
    name: 'x',
    type: 'data_driven',
    when: {
      all: [
        { event: 'Added to Cart', count: { at_least: 2 }, within: 'PT4H' },
        { not: { event: 'Order Completed' } },
        { any: [{ attribute: 'plan', operator: 'eq', value: 'pro' }, { segment: 'vip' }] },
      ],
    },
  });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  const { when } = parsed.value;
  const history = {
    events: [
      event('m1', 'Added to Cart', T0 - 5 * HOUR),
      event('m2', 'Added to Cart', T0 - 3 * HOUR),
      event('m3', 'Added to Cart', T0 - HOUR),
      event('m4', 'Other', T0),
    ],
    attributes: { plan: 'free' },
    segments: new Set(['vip']),
    firstSeenAt: T0 - 5 * HOUR,
  };
  expect(explain(when, evidenceOf(when, history, T0))).toEqual({
    result: true,
    conditions: [
      {
        pointer: '/when/all/0',
        result: true,
        value: 2,
        events: ['m3', 'm2'],
        rests_on: [
          { message_id: 'm3', name: 'Added to Cart', timestamp: '2026-01-05T11:00:00.000Z' },
          { message_id: 'm2', name: 'Added to Cart', timestamp: '2026-01-05T09:00:00.000Z' },
        ],
        says: 'did Added to Cart 2 times in the last 4 hours; asked is at least 2, and more is not counted',
        changes_at: '2026-01-05T13:00:00.000Z',
      },
      {
        ...{ pointer: '/when/all/1/not', result: false, value: 0, events: [], rests_on: [] },
        says: 'did Order Completed 0 times; asked is at least 1; it stands under not, so it must not hold',
      },
      {
        ...{ pointer: '/when/all/2/any/0', result: false, value: 'free', events: [], rests_on: [] },
        says: 'plan is "free"; asked is that it eq "pro"',
      },
      {
        ...{ pointer: '/when/all/2/any/1', result: true, value: true, events: [], rests_on: [] },
        says: 'the person is in the segment vip',
      },
    ],
  });
});

test.each([
  [{ not: { event: 'Cart' } }, true],
  [{ not: { not: { event: 'Cart' } } }, false],
  [{ not: { any: [{ not: { event: 'Cart' } }] } }, false],
  [{ all: [{ not: { all: [{ event: 'Cart' }] } }] }, true],
])('%j says whether it must not hold', (when, isUnderNot) => {
  const [, , says] = said(when, [event('m1', 'Cart', T0)], T0);
  expect(says).toBe(
    `did Cart once; asked is at least 1, and more is not counted${isUnderNot ? '; it stands under not, so it must not hold' : ''}`,
  );
});

const stalled = { event: 'Cart', without: { event: 'Order' }, for: 'PT10M', within: 'P1D' };
const path = { sequence: [{ event: 'View' }, { event: 'Cart' }], without: { event: 'Order' }, for: 'PT1H' };
const MINUTE = 60_000;

function said(when: unknown, events: readonly RuleEvent[], now: number) {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  const history = { events, attributes: {}, segments: new Set<string>(), firstSeenAt: T0 };
  const [line] = explain(parsed.value.when, evidenceOf(parsed.value.when, history, now)).conditions;
  return [line?.value, line?.rests_on.map(({ name }) => name), line?.says];
}

test('a stall says in words how it stands', () => {
  const cart = event('m1', 'Cart', T0);
  const order = event('m2', 'Order', T0 + 5 * MINUTE);
  expect(said(stalled, [], T0)).toEqual(['none', [], 'did no Cart']);
  expect(said(stalled, [cart], T0 + MINUTE)).toEqual([
    'running',
    ['Cart'],
    'did Cart at 2026-01-05T12:00:00.000Z; the 10 minutes in which Order may still come are not over',
  ]);
  expect(said(stalled, [cart, order], T0 + HOUR)).toEqual([
    'answered',
    ['Order', 'Cart'],
    'did Cart at 2026-01-05T12:00:00.000Z, and Order at 2026-01-05T12:05:00.000Z answered it within 10 minutes',
  ]);
  expect(said(stalled, [cart], T0 + HOUR)).toEqual([
    'stalled',
    ['Cart'],
    'did Cart at 2026-01-05T12:00:00.000Z, and no Order in the 10 minutes after it',
  ]);
  expect(said(stalled, [cart], T0 + 25 * HOUR)[2]).toMatch(/too long ago, longer than 1 day ago$/);
});

test('a sequence says how far it is, and names the event of each step', () => {
  const [view, cart] = [event('m1', 'View', T0), event('m2', 'Cart', T0 + MINUTE)];
  const order = event('m3', 'Order', T0 + 2 * MINUTE);
  expect(said(path, [view], T0)).toEqual([1, ['View'], 'did 1 of 2 steps in their order; next is Cart']);
  const waits = 'did 2 of 2 steps in their order; the 1 hour in which Order may still come are not over';
  expect(said(path, [view, cart], T0 + HOUR)).toEqual([2, ['Cart', 'View'], waits]);
  expect(said(path, [view, cart], T0 + HOUR + MINUTE)[2]).toBe(
    'did 2 of 2 steps in their order, and no Order in the 1 hour after them',
  );
  expect(said(path, [view, cart, order], T0 + 2 * HOUR)).toEqual([
    2,
    ['Order', 'Cart', 'View'],
    'did 2 of 2 steps in their order, and Order in the 1 hour after them',
  ]);
});
