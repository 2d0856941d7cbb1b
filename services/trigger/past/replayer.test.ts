/** A replay looks at a bounded number of people, says where it goes on, and leaves out whoever has too much. */
import { describe, expect, test } from '@jest/globals';
import { Definitions } from '../../runtime/definitions.ts';
import { T0, MINUTE } from '../../testing/scenarios/trigger-scenario.ts';
import type { CandidatesQuestion, HistorySource } from './history-source.ts';
import { historiesOf, type HistoryRow } from './history-source.ts';
import { historyEventsMax } from './reading-chunks.ts';
import { replayedPeopleMax, Replayer, type ReplayedJourney } from './replayer.ts';

const journey = { name: 'J', state: 'draft', trigger: { event: 'Added to Cart' } };

function definitions(): Definitions {
  const stored = new Definitions();
  const shared = { workspace: 'shop', version: 3, deleted: false, at: T0 } as const;
  stored.apply(0, { ...shared, kind: 'journey', id: 'j', body: JSON.stringify(journey) });
  return stored;
}

/** Everybody put something into a cart, once; some have more events than are read. */
class Shop implements HistorySource {
  readonly people: readonly string[];
  readonly tooMany: ReadonlySet<string>;
  readonly asked: CandidatesQuestion[] = [];
  otherWay = 0;

  constructor(count: number, tooMany: readonly string[] = []) {
    this.people = Array.from({ length: count }, (_, index) => `cio_${String(index).padStart(5, '0')}`);
    this.tooMany = new Set(tooMany);
  }
  candidates: HistorySource['candidates'] = (question) => {
    this.asked.push(question);
    const people = this.people.filter((id) => id > question.after).slice(0, question.limit);
    return Promise.resolve({ people, of: this.people.length });
  };
  eitherWay: HistorySource['eitherWay'] = () => Promise.resolve(this.people.length + this.otherWay);
  sizes: HistorySource['sizes'] = ({ people }) =>
    Promise.resolve(new Map(people.map((id) => [id, this.tooMany.has(id) ? historyEventsMax + 1 : 1])));
  histories: HistorySource['histories'] = ({ people }) => {
    const names = { id: null, email: null, attributes: null, relationships: null, firstSeenAt: T0 };
    const rows = people.map((personId): HistoryRow => ({
      ...{ personId, type: 'event', name: 'Added to Cart', messageId: `m-${personId}`, anonymousId: null },
      ...{ timestamp: T0, receivedAt: T0, mergedAt: T0, previouslyAnonymous: false },
      ...{ properties: null, bot: false },
    }));
    return Promise.resolve(
      historiesOf(
        people.map((personId) => ({ personId, ...names })),
        rows,
      ),
    );
  };
}

const range = {
  ...{ workspace: 'shop', journeyId: 'j', body: null, from: T0, to: T0 + MINUTE, after: '' },
  by: 'event_time' as const,
};

async function replayed(replayer: Replayer, asked: object = {}): Promise<ReplayedJourney> {
  const answered = await replayer.replay({ ...range, ...asked });
  if (answered.type !== 'replayed') throw new Error(answered.type);
  return answered;
}

describe('a rehearsal', () => {
  const keen = {
    ...{ name: 'Keen', type: 'data_driven' },
    when: { event: 'Added to Cart', count: { at_least: 2 } },
  };
  const welcome = { name: 'W', state: 'running', trigger: { segment: 'keen', on: 'entered' } };

  /** Ann put something into a cart twice, a minute apart. */
  async function rehearsed(at: number, body: object = welcome, segment: object = keen) {
    const stored = definitions();
    const shared = { workspace: 'shop', version: 1, deleted: false, at: T0 } as const;
    stored.apply(1, { ...shared, kind: 'segment', id: 'keen', body: JSON.stringify(segment) });
    stored.apply(2, { ...shared, kind: 'journey', id: 'welcome', body: JSON.stringify(body) });
    const source = new Shop(1);
    source.histories = ({ to }) => {
      const names = { id: null, email: null, attributes: null, relationships: null, firstSeenAt: T0 };
      const rows = [T0, T0 + MINUTE].map((time, index): HistoryRow => ({
        ...{ personId: 'cio_00000', type: 'event', name: 'Added to Cart', messageId: `m${String(index)}` },
        ...{ timestamp: time, receivedAt: time, mergedAt: time, previouslyAnonymous: false },
        ...{ anonymousId: null, properties: null, bot: false },
      }));
      const before = rows.filter(({ mergedAt }) => mergedAt < to);
      return Promise.resolve(historiesOf([{ personId: 'cio_00000', ...names }], before));
    };
    const replayer = new Replayer({ source, definitions: () => stored, monotonicMs: () => 0 });
    const asked = {
      workspace: 'shop',
      journeyId: 'welcome',
      body: null,
      personId: 'cio_00000',
      key: null,
      at,
      by: 'event_time' as const,
    };
    const answer = await replayer.rehearse(asked);
    if (answer.type !== 'rehearsed') throw new Error(answer.type);
    return answer;
  }

  test('of a journey that begins with a segment knows when the person entered it', async () => {
    const early = await rehearsed(T0 + MINUTE - 1);
    expect([early.explained.result, early.before]).toEqual([true, []]);
    const later = await rehearsed(T0 + MINUTE);
    expect(later.before).toMatchObject([
      {
        type: 'journey_entered',
        at: T0 + MINUTE,
        triggerMessageId: 'm1',
        evidence: { conditions: [{ segment: 'keen' }] },
      },
    ]);
    expect(later.explained).toMatchObject({ result: false, reason: 'frequency', entries: 1 });
  });

  test('of one that begins when somebody leaves goes by the time at which the window ended', async () => {
    const left = { ...welcome, trigger: { segment: 'keen', on: 'left' } };
    const lately = { ...keen, when: { ...keen.when, within: 'PT10M' } };
    expect((await rehearsed(T0 + 10 * MINUTE - 1, left, lately)).before).toEqual([]);
    expect((await rehearsed(T0 + 10 * MINUTE, left, lately)).before).toMatchObject([
      { type: 'journey_entered', at: T0 + 10 * MINUTE, triggerMessageId: null },
    ]);
  });

  test('asks the filters as of the moment', async () => {
    const filters = { segment: 'keen' };
    const journeyOf = { ...welcome, trigger: { event: 'Other' }, filters };
    const early = await rehearsed(T0, journeyOf);
    expect(early.explained).toMatchObject({ result: false, reason: 'filters_not_met' });
    expect((await rehearsed(T0 + MINUTE, journeyOf)).explained.result).toBe(true);
  });
});

test('a rehearsal of the past says the state that is stored, and goes as if it ran', async () => {
  const replayer = new Replayer({ source: new Shop(1), definitions, monotonicMs: () => 0 });
  const answer = await replayer.rehearse({ ...range, personId: 'cio_00000', key: null, at: T0 - 1 });
  expect(answer).toMatchObject({ type: 'rehearsed', explained: { state: 'draft', result: true } });
});

describe('a replay', () => {
  test('goes on where the call before ended, and every person is in one of them', async () => {
    const source = new Shop(replayedPeopleMax + 20);
    const replayer = new Replayer({ source, definitions, monotonicMs: () => 0 });
    const first = await replayed(replayer);
    expect(first).toMatchObject({ version: 3, people: replayedPeopleMax, entered: replayedPeopleMax });
    expect([first.of, first.next]).toEqual([source.people.length, source.people[replayedPeopleMax - 1]]);
    const second = await replayed(replayer, { after: first.next });
    expect([second.people, second.entered, second.next]).toEqual([20, 20, null]);
    expect(source.asked[0]).toMatchObject({ by: 'events', names: ['Added to Cart'] });
  });

  test('ends when its time is up, with somebody at least looked at', async () => {
    let now = 0;
    const replayer = new Replayer({
      source: new Shop(3_000),
      definitions,
      monotonicMs: () => (now += 1_000),
    });
    const { people, next } = await replayed(replayer);
    expect([people > 0, people < 3_000, next !== null]).toEqual([true, true, true]);
  });

  test('of a person whom rules make dear goes on beside everything else, and ends', async () => {
    const events = historyEventsMax - 1;
    const source = new Shop(1);
    const [id = ''] = source.people;
    source.histories = () => {
      const names = { id: null, email: null, attributes: null, relationships: null, firstSeenAt: T0 };
      const rows = Array.from({ length: events }, (_, n): HistoryRow => ({
        ...{
          personId: id,
          type: 'event',
          name: 'Added to Cart',
          messageId: `m-${String(n)}`,
          anonymousId: null,
        },
        ...{ timestamp: T0 + n, receivedAt: T0 + n, mergedAt: T0 + n, previouslyAnonymous: false },
        ...{ properties: '{"note":"a"}', bot: false },
      }));
      return Promise.resolve(historiesOf([{ personId: id, ...names }], rows));
    };
    const dear = { operator: 'in', value: Array.from({ length: 1_000 }, (_, n) => `x${String(n)}`) };
    const any = Array.from({ length: 8 }, () => ({
      event: 'Added to Cart',
      where: Array.from({ length: 5 }, () => ({ property: 'note', ...dear })),
    }));
    const body = { ...journey, filters: { any } };
    const replayer = new Replayer({ source, definitions });
    let turns = 0;
    const beside = setInterval(() => (turns += 1), 5);
    const answered = await replayer.rehearse({ ...range, personId: id, key: null, at: T0 + events, body });
    clearInterval(beside);
    expect(['rehearsed', 'person_too_dear']).toContain(answered.type);
    expect(turns).toBeGreaterThan(5);
  });

  test('leaves out whoever has more events than are read, and says who', async () => {
    const source = new Shop(5, ['cio_00002']);
    const told = await replayed(new Replayer({ source, definitions, monotonicMs: () => 0 }));
    expect(told).toMatchObject({ people: 5, entered: 4, leftOut: ['cio_00002'], next: null });
  });

  test('says how many may have triggered it by the other time alone', async () => {
    const source = new Shop(5);
    source.otherWay = 2;
    const told = await replayed(new Replayer({ source, definitions, monotonicMs: () => 0 }));
    expect(told).toMatchObject({ of: 5, otherWay: 2, withoutTrigger: 0, arrivedLate: 0 });
  });

  test('is one at a time, and needs a journey', async () => {
    const replayer = new Replayer({ source: new Shop(1), definitions, monotonicMs: () => 0 });
    const [a, b] = await Promise.all([replayer.replay(range), replayer.replay(range)]);
    expect([a.type, b.type]).toEqual(['replayed', 'busy']);
    expect((await replayer.replay({ ...range, journeyId: 'k' })).type).toBe('rule_unknown');
    const given = await replayed(replayer, {
      journeyId: 'k',
      body: { ...journey, trigger: { event: 'Other' } },
    });
    expect(given).toMatchObject({ version: 1, entered: 0 });
  });
});

describe('of somebody whose events were loaded long after they happened', () => {
  const stalled = {
    ...{ name: 'J', state: 'draft' },
    trigger: { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10M' },
  };
  /** A visitor fills a cart, signs up and orders two hours ago; all of it is sent now, within two seconds. */
  const loadedAt = T0 + 120 * MINUTE;
  const rowOf = (row: Pick<HistoryRow, 'name' | 'messageId' | 'timestamp' | 'receivedAt'>): HistoryRow => ({
    ...{ personId: 'cio_00000', anonymousId: 'v1', properties: null, bot: false },
    ...row,
    type: row.name === null ? 'identify' : 'event',
    previouslyAnonymous: row.name === 'Added to Cart',
    mergedAt: Math.max(row.receivedAt, loadedAt + 600),
  });
  const loaded = [
    rowOf({ name: 'Added to Cart', messageId: 'cart', timestamp: T0, receivedAt: loadedAt }),
    rowOf({ name: null, messageId: 'signed-up', timestamp: loadedAt + 600, receivedAt: loadedAt + 600 }),
    rowOf({
      ...{ name: 'Order Completed', messageId: 'order' },
      ...{ timestamp: T0 + MINUTE, receivedAt: loadedAt + 2_000 },
    }),
  ];

  function replayer(): Replayer {
    const source = new Shop(1);
    const person = { personId: 'cio_00000', id: null, email: null, attributes: null, relationships: null };
    source.histories = () => Promise.resolve(historiesOf([{ ...person, firstSeenAt: T0 }], loaded));
    return new Replayer({ source, definitions, monotonicMs: () => 0 });
  }
  const asked = { body: stalled, to: loadedAt + 60 * MINUTE };

  test('a replay by event time sees that the order answered the cart, and that it came late', async () => {
    expect(await replayed(replayer(), asked)).toMatchObject({
      ...{ entered: 0, withoutTrigger: 1, arrivedLate: 1 },
    });
  });

  test('one by arrival says what the journey would have done then, and how much of it came late', async () => {
    const answer = await replayed(replayer(), { ...asked, by: 'arrival' });
    expect(answer).toMatchObject({ entered: 1, arrivedLate: 1 });
    expect(answer.sample.entered[0]?.outcome).toMatchObject({ at: loadedAt + 601, triggerMessageId: 'cart' });
  });

  test('what happened before the range triggers nothing by event time, though it came within', async () => {
    const cart = { body: { ...stalled, trigger: { event: 'Added to Cart' } }, to: asked.to };
    expect(await replayed(replayer(), cart)).toMatchObject({ entered: 1, arrivedLate: 1 });
    expect(await replayed(replayer(), { ...cart, from: T0 + 10 * MINUTE })).toMatchObject({ entered: 0 });
    expect(await replayed(replayer(), { ...cart, from: T0 + 10 * MINUTE, by: 'arrival' })).toMatchObject({
      entered: 1,
    });
  });
});
