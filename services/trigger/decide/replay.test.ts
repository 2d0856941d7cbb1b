/** What a journey would have done is what it does to whom the same happens while it runs. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Definitions } from '../../runtime/definitions.ts';
import { of } from '../../testing/processor-harness.ts';
import { runs } from '../../testing/runs.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  T0,
  Trigger,
  happened,
  identified,
} from '../../testing/scenarios/trigger-scenario.ts';
import { asItHappened } from '../past/as-it-happened.ts';
import { historiesOf, type HistoryRow } from '../past/history-source.ts';
import { replay, type PersonHistory } from './replay.ts';
import { replayedRules } from './replayed-rules.ts';

interface Did {
  readonly what: 'cart' | 'order' | 'view' | 'identify' | 'release';
  readonly minutes: number;
  readonly key: string;
}
const did: fc.Arbitrary<Did> = fc.record({
  what: fc.constantFrom('cart', 'cart', 'order', 'view', 'view', 'identify', 'release'),
  minutes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 3 * 1_440 })),
  key: fc.constantFrom('c1', 'c2'),
});
const NAMES = { cart: 'Added to Cart', order: 'Order Completed', view: 'Product Viewed' } as const;

/** No time is that of a window's end: of one moment the order is another matter. */
function rowsOf(history: readonly Did[]): readonly HistoryRow[] {
  let at = T0;
  return history.flatMap(({ what, minutes, key }, index): HistoryRow[] => {
    at += minutes * MINUTE + 1;
    const messageId = `m${String(index)}`;
    const row = { personId: 'cio_a', messageId, timestamp: at, receivedAt: at, mergedAt: at, bot: false };
    const own = { ...row, anonymousId: null, previouslyAnonymous: false };
    const properties = JSON.stringify({ cart_id: key, product_id: key });
    if (what === 'identify') return [{ ...own, type: 'identify', name: null, properties: null }];
    if (what !== 'release') return [{ ...own, type: 'event', name: NAMES[what], properties }];
    // A visitor put something into a cart an hour ago, and is claimed.
    const anonymousId = `v${String(index)}`;
    const before = { timestamp: at - HOUR, receivedAt: at - HOUR, previouslyAnonymous: true, anonymousId };
    return [
      { ...row, ...before, messageId: `${messageId}-then`, type: 'event', name: NAMES.cart, properties },
      { ...row, anonymousId, previouslyAnonymous: false, type: 'identify', name: null, properties: null },
    ];
  });
}

function recordOf({ type, name, messageId, anonymousId, receivedAt, ...row }: HistoryRow) {
  const shared = { person: 'cio_a', id: messageId, anonymousId, at: receivedAt, timestamp: row.timestamp };
  const merged = { ...shared, mergedAt: row.mergedAt, previouslyAnonymous: row.previouslyAnonymous };
  if (type === 'identify') return identified({ ...merged, properties: {} });
  const properties = JSON.parse(row.properties ?? '{}') as object;
  return happened({ ...merged, properties, ...(name !== null && { name }) });
}

const browsing = { event: 'Product Viewed', count: { at_least: 2 }, within: 'PT2H' };
const stalled = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' };
const segments = {
  browsing,
  cooling: { not: { event: 'Product Viewed', within: 'PT5H' } },
  both: { all: [{ segment: 'browsing' }, { not: { event: 'Order Completed' } }] },
};
const journeys = [
  { trigger: stalled, key: 'cart_id' },
  { trigger: stalled, frequency: { mode: 'interval', every: 'P1D' }, holdout: 0.5 },
  {
    trigger: { event: 'Added to Cart' },
    filters: { segment: 'browsing' },
    frequency: { mode: 'every_rematch' },
  },
  {
    trigger: { event: 'Added to Cart' },
    frequency: { mode: 'at_most', times: 2, per: 'P1D' },
    key: 'cart_id',
  },
  { trigger: { segment: 'both', on: 'entered' }, frequency: { mode: 'every_rematch' } },
  { trigger: { segment: 'cooling', on: 'entered' }, filters: browsing, frequency: { mode: 'every_rematch' } },
  { trigger: { segment: 'browsing', on: 'left' }, frequency: { mode: 'every_rematch', gap: 'PT3H' } },
  { trigger: { identified: true }, filters: { event: 'Added to Cart', within: 'P1D' } },
] as const;

const toldOf = (outputs: Trigger['harness']['outputs']) => [
  ...of('journeysEntered', outputs).map(({ value }) => [
    value.entered_at,
    value.key,
    value.trigger_message_id,
    'entered',
  ]),
  ...of('journeysSkipped', outputs).map(({ value }) => [
    value.at,
    value.key,
    value.trigger_message_id,
    value.reason,
  ]),
];

/** As the trigger does it to whom it happens, with the journey a draft before `from`. */
function lived(journey: object, rows: readonly HistoryRow[], from: number, to: number) {
  const trigger = new Trigger();
  for (const [id, when] of Object.entries(segments)) trigger.segment(id, when);
  const put = (state: string) =>
    trigger.harness.define('journey', 'default', 'j', { name: 'J', ...journey, state });
  put('draft');
  trigger.feed(...rows.filter(({ mergedAt }) => mergedAt < from).map(recordOf));
  trigger.until(from - 1);
  put('running');
  for (const row of rows.filter(({ mergedAt }) => mergedAt >= from && mergedAt < to))
    trigger.feed(recordOf(row));
  trigger.until(to - 1);
  return toldOf(trigger.harness.outputs);
}

function replayed(
  journey: object,
  rows: readonly HistoryRow[],
  { from, to, comesBy = (history) => history }: Range,
) {
  const definitions = new Definitions();
  const put = (kind: 'segment' | 'journey', id: string, body: object) =>
    definitions.apply(definitions.offset, {
      ...{ kind, id, workspace: 'default', version: 1, deleted: false, at: T0, body: JSON.stringify(body) },
    });
  for (const [id, when] of Object.entries(segments))
    put('segment', id, { name: id, type: 'data_driven', when });
  put('journey', 'j', { name: 'J', ...journey, state: 'draft' });
  const stored = definitions.get('journey', 'default', 'j');
  const rules = stored && replayedRules(definitions, 'default', stored);
  if (rules === undefined) throw new Error('the journey is good');
  const profile = { personId: 'cio_a', id: null, email: null, attributes: null, relationships: null };
  const firstSeenAt = Math.min(...rows.map(({ timestamp }) => timestamp));
  const [history] = historiesOf([{ ...profile, firstSeenAt }], rows);
  if (history === undefined) throw new Error('there is a person');
  const { before, live } = rules;
  return replay(comesBy(history), { journeyId: 'j', before, live, from, to }).outcomes.map((outcome) => [
    ...[outcome.at, outcome.key, outcome.triggerMessageId],
    outcome.type === 'journey_entered' ? 'entered' : outcome.reason,
  ]);
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly comesBy?: (history: PersonHistory) => PersonHistory;
}

const byTime = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

describe('a journey over the past', () => {
  test('has the entries and the skips that it would have had, had it run', () => {
    const history = fc.array(did, { minLength: 1, maxLength: 25 });
    let outcomes = 0;
    fc.assert(
      fc.property(history, fc.constantFrom(...journeys), fc.nat(25), (told, journey, first) => {
        const rows = rowsOf(told);
        const end = Math.max(...rows.map(({ mergedAt }) => mergedAt));
        // Half a minute before some record, and half a day after the last.
        const from = (rows[Math.min(first, rows.length - 1)]?.mergedAt ?? T0) - 30_000;
        const to = end + DAY / 2 + 17;
        const expected = lived(journey, rows, from, to);
        expect(byTime(replayed(journey, rows, { from, to }))).toEqual(byTime(expected));
        outcomes += expected.length;
      }),
      { numRuns: runs(100) },
    );
    expect(outcomes).toBeGreaterThan(0);
  });

  test('says nothing of what came to the person before or after the range', () => {
    const cart = (minutes: number): Did => ({ what: 'cart', minutes, key: 'c1' });
    const rows = rowsOf([cart(10), cart(60), cart(60)]);
    const journey = { trigger: { event: 'Added to Cart' }, frequency: { mode: 'every_rematch' } };
    const [, second, third] = rows.map(({ mergedAt }) => mergedAt);
    expect(replayed(journey, rows, { from: second ?? 0, to: third ?? 0 })).toEqual([
      [second, null, 'm1', 'entered'],
    ]);
  });

  test('by event time it is the same of what was received at its own time', () => {
    fc.assert(
      fc.property(
        fc.array(did, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(...journeys),
        (told, journey) => {
          const rows = rowsOf(told);
          const range = { from: T0, to: Math.max(...rows.map(({ mergedAt }) => mergedAt)) + DAY };
          const expected = replayed(journey, rows, range);
          expect(replayed(journey, rows, { ...range, comesBy: asItHappened })).toEqual(expected);
        },
      ),
      { numRuns: runs(50) },
    );
  });

  test('by event time an import has the entries and the skips of what came as it happened', () => {
    const events = did.filter(({ what }) => what !== 'release');
    fc.assert(
      fc.property(
        fc.array(events, { minLength: 1, maxLength: 25 }),
        fc.constantFrom(...journeys),
        fc.array(fc.nat(1_000), { minLength: 25, maxLength: 25 }),
        (told, journey, waits) => {
          const rows = rowsOf(told);
          const end = Math.max(...rows.map(({ mergedAt }) => mergedAt)) + DAY;
          const range = { from: T0, to: end };
          const expected = replayed(journey, rows, range);
          const imported = rows.map((row, index): HistoryRow => {
            const receivedAt = end + (waits[index] ?? 0);
            return { ...row, receivedAt, mergedAt: receivedAt };
          });
          expect(replayed(journey, imported, { ...range, comesBy: asItHappened })).toEqual(expected);
        },
      ),
      { numRuns: runs(50) },
    );
  });
});
