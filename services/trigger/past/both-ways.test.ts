/** A replay says whether it matters by which time it goes, of every kind of trigger: while nothing is counted, both ways say the same. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Definitions } from '../../runtime/definitions.ts';
import { runs } from '../../testing/runs.ts';
import { DAY, HOUR, MINUTE, T0 } from '../../testing/scenarios/trigger-scenario.ts';
import type { ComesBy } from './as-it-happened.ts';
import { historiesOf, type HistoryRow, type HistorySource } from './history-source.ts';
import { Replayer } from './replayer.ts';

const NOW = T0 + 10 * DAY;
const viewed = (within: string) => ({
  ...{ event: 'Product Viewed', count: { at_least: 3 }, within },
});
const browsed = {
  sequence: [{ event: 'Product Viewed' }, { event: 'Product Viewed' }, { event: 'Product Viewed' }],
  ...{ within: 'P1D', without: { event: 'Added to Cart' }, for: 'PT2H' },
};
const triggers = {
  event: { event: 'Added to Cart' },
  stall: { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT4H' },
  segment: { segment: 'browsed', on: 'entered' },
  left: { segment: 'keen', on: 'left' },
  identified: { identified: true },
} as const;
const journeys = Object.values(triggers).flatMap((trigger) => [
  { trigger, frequency: { mode: 'every_rematch' } },
  { trigger, filters: { not: { event: 'Order Completed', within: 'PT12H' } } },
]);

interface Did {
  /** null: identified. */
  readonly name: string | null;
  /** ms */
  readonly at: number;
  readonly lateMs: number;
}

function rowsOf(did: readonly Did[]): readonly HistoryRow[] {
  const rows = did.map(({ name, at, lateMs }, index): HistoryRow => ({
    ...{
      personId: 'cio_a',
      type: name === null ? 'identify' : 'event',
      name,
      messageId: `m${String(index)}`,
    },
    ...{ timestamp: at, receivedAt: at + lateMs, mergedAt: at + lateMs },
    ...{ anonymousId: null, previouslyAnonymous: false, properties: null, bot: false },
  }));
  return rows.sort((a, b) => a.mergedAt - b.mergedAt);
}

/** As ClickHouse is asked: nothing is read that the question leaves out. */
function sourceOf(rows: readonly HistoryRow[]): HistorySource {
  const profile = { personId: 'cio_a', id: null, email: null, attributes: null, relationships: null };
  return {
    candidates: ({ after }) => Promise.resolve({ people: after === '' ? ['cio_a'] : [], of: 1 }),
    eitherWay: () => Promise.resolve(1),
    sizes: () => Promise.resolve(new Map([['cio_a', rows.length]])),
    histories: ({ to, comesBy }) =>
      Promise.resolve(
        historiesOf(
          [{ ...profile, firstSeenAt: T0 - 30 * DAY }],
          rows.filter((row) => (comesBy === 'arrival' ? row.mergedAt < to : row.timestamp < to)),
        ),
      ),
  };
}

async function bothWays(journey: object, did: readonly Did[], from = T0, to = NOW) {
  const stored = new Definitions();
  const shared = { workspace: 'shop', version: 1, deleted: false, at: T0 } as const;
  for (const [id, when] of Object.entries({ browsed, keen: viewed('P1D') })) {
    const body = JSON.stringify({ name: id, type: 'data_driven', when });
    stored.apply(stored.offset, { ...shared, kind: 'segment', id, body });
  }
  const replayer = new Replayer({
    source: sourceOf(rowsOf(did)),
    definitions: () => stored,
    monotonicMs: () => 0,
  });
  const body = { name: 'J', state: 'draft', ...journey };
  const asked = { workspace: 'shop', journeyId: 'j', body, from, to, after: '' };
  const by = async (one: ComesBy) => {
    const answer = await replayer.replay({ ...asked, by: one });
    if (answer.type !== 'replayed') throw new Error(answer.type);
    return answer;
  };
  return { byTime: await by('event_time'), byArrival: await by('arrival') };
}

describe('what came late is counted', () => {
  test('of a journey that begins with a segment, though no event triggers it', async () => {
    const views = [26, 19, 7].map((hours) => ({ hours, at: NOW - hours * HOUR }));
    const did = views.map(({ hours, at }) => ({ name: 'Product Viewed', at, lateMs: hours * HOUR - MINUTE }));
    const spread = did.map((one, index) => ({ ...one, at: one.at + (2 - index) * 2 * HOUR }));
    const { byTime, byArrival } = await bothWays({ trigger: triggers.segment }, spread);
    expect([byTime.entered, byTime.arrivedLate]).toEqual([1, 1]);
    expect([byArrival.entered, byArrival.arrivedLate]).toEqual([0, 1]);
  });

  test('of a stall, though it came within its time', async () => {
    const late = [
      { name: 'Added to Cart', at: T0, lateMs: 0 },
      { name: 'Order Completed', at: T0 + 3 * HOUR, lateMs: 2 * HOUR },
    ];
    const { byTime, byArrival } = await bothWays({ trigger: triggers.stall }, late);
    expect([byTime.entered, byTime.arrivedLate]).toEqual([0, 1]);
    expect([byArrival.entered, byArrival.arrivedLate]).toEqual([1, 1]);
  });

  test('of an identify, which may be too old by arrival, and before the range by its own time', async () => {
    const did = [{ name: null, at: T0, lateMs: 5 * DAY }];
    const { byTime, byArrival } = await bothWays({ trigger: triggers.identified }, did);
    expect([byTime.entered, byTime.arrivedLate]).toEqual([1, 1]);
    expect([byArrival.skipped, byArrival.arrivedLate]).toEqual([{ too_old: 1 }, 1]);
    const later = await bothWays({ trigger: triggers.identified }, did, T0 + DAY);
    expect(later.byTime).toMatchObject({ entered: 0, skipped: {}, withoutTrigger: 1, arrivedLate: 1 });
  });

  test('of a stall of seconds, though it came within a minute', async () => {
    const trigger = { ...triggers.stall, for: 'PT5S' };
    const late = [
      { name: 'Added to Cart', at: T0, lateMs: 0 },
      { name: 'Order Completed', at: T0 + 3_000, lateMs: 30_000 },
    ];
    const { byTime, byArrival } = await bothWays({ trigger }, late);
    expect([byTime.entered, byTime.arrivedLate, byArrival.entered]).toEqual([0, 1, 1]);
  });

  test('and nothing of what came within a minute', async () => {
    const did = [{ name: 'Added to Cart', at: T0, lateMs: 59_000 }];
    const { byTime, byArrival } = await bothWays({ trigger: triggers.event }, did);
    expect([byTime.arrivedLate, byArrival.arrivedLate]).toEqual([0, 0]);
  });
});

test('property: while nothing is counted both ways say the same, and both count the same', async () => {
  const name = fc.constantFrom('Product Viewed', 'Product Viewed', 'Added to Cart', 'Order Completed', null);
  const did = fc.record({
    name,
    at: fc.integer({ min: 0, max: 60 }).map((hours) => T0 + hours * HOUR),
    lateMs: fc.constantFrom(0, 0, 0, 5 * MINUTE, 3 * HOUR, 4 * DAY),
  });
  let [differed, same] = [0, 0];
  await fc.assert(
    fc.asyncProperty(
      fc.array(did, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...journeys),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 51, max: 240 }),
      async (all, journey, from, to) => {
        const range = [T0 + from * HOUR, T0 + to * HOUR] as const;
        const { byTime, byArrival } = await bothWays(journey, all, ...range);
        const told = ({ entered, skipped }: typeof byTime) => ({ entered, skipped });
        expect(byArrival.arrivedLate).toBe(byTime.arrivedLate);
        if (byTime.arrivedLate > 0) differed += 1;
        else {
          same += 1;
          expect(told(byArrival)).toEqual(told(byTime));
        }
      },
    ),
    { numRuns: runs(60) },
  );
  expect([differed > 0, same > 0]).toEqual([true, true]);
});
