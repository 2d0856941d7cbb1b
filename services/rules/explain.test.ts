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
        changes_at: '2026-01-05T13:00:00.000Z',
      },
      { pointer: '/when/all/1/not', result: false, value: 0, events: [] },
      { pointer: '/when/all/2/any/0', result: false, value: 'free', events: [] },
      { pointer: '/when/all/2/any/1', result: true, value: true, events: [] },
    ],
  });
});
