/** When the reader of the past tells what: not before ClickHouse has it, and again where it was not taken. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { localCodecs } from '../../../schemas/codec.ts';
import { parseSegment } from '../../rules/parse.ts';
import type { CountedCondition } from '../../rules/condition.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { eventually } from '../../testing/eventually.ts';
import { T0 } from '../../testing/scenarios/trigger-scenario.ts';
import { decodePast, type PastMessage } from '../past-messages.ts';
import type { WantedPast } from '../wanted-past.ts';
import { PastReader } from './reader.ts';
import type { PastEvent, PastSource, PersonQuestion, SharedQuestion } from './source.ts';

const codecs = localCodecs();

function conditionOf(when: unknown): CountedCondition {
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven' || parsed.value.when.type !== 'event') {
    throw new Error('the rule is good');
  }
  return parsed.value.when;
}
const rule = {
  ...{ key: 's:keen', version: 4, fence: 0, after: '' },
  conditions: [conditionOf({ event: 'Added to Cart', count: { at_least: 2 } })],
};
const wanted: WantedPast = {
  ...{ workspace: 'shop', partition: 1, rules: [rule] },
  apart: { workspace: 'shop', personId: 'cio_a', clearedBy: 7 },
};

/** What the sink has written, and what the reader says. */
class Engine {
  readonly told: PastMessage[] = [];
  readonly asked: PersonQuestion[] = [];
  merged = [5, 5];
  facts = [3, 3];
  /** Of events.merged. */
  ends = [5, 5];
  newestFact = 7;
  readonly #reader: PastReader;

  constructor(rules: WantedPast['rules'] = [rule]) {
    const source: PastSource = {
      read: () => Promise.reject(new Error('nobody asks for a rule')),
      person: (question) => {
        this.asked.push(question);
        return Promise.resolve({ asOf: T0, asOfFact: this.newestFact, events: twoCarts() });
      },
    };
    const placing = {
      histories: () => {
        throw new Error('nobody asks for a journey');
      },
    };
    const offsets = (of: readonly number[]) =>
      Promise.resolve(of.map((offset) => ({ offset, metadata: null })));
    this.#reader = new PastReader({
      ...{ source, placing, codecs, logger: silentLogger, replayed: () => undefined },
      wanted: () => [{ ...wanted, rules }],
      admin: {
        committedOffsets: (_group, topic) => offsets(topic === 'identityLog' ? this.facts : this.merged),
        endOffsets: () => Promise.resolve([...this.ends]),
      },
      producer: {
        send: (_topic, _key, value) => {
          this.told.push(decodePast(codecs.Transfer.decode(Buffer.from(value)).state ?? ''));
          return Promise.resolve(0);
        },
      },
    });
    this.#reader.start();
  }
  stop(): Promise<void> {
    return this.#reader.stop();
  }
}

async function* twoCarts() {
  for (const id of ['m1', 'm2']) {
    const event = { name: 'Added to Cart', type: 'event', messageId: id, time: T0, receivedAt: T0 } as const;
    yield await Promise.resolve({ ...event, properties: () => ({}) });
  }
}

let engine: Engine | undefined;
afterEach(() => engine?.stop());

/** Longer than the pause between two rounds. */
const someRounds = () => new Promise((resolve) => setTimeout(resolve, 700));

describe('the past of somebody who was taken apart', () => {
  test('is told once ClickHouse has all that was written until then, and the split', async () => {
    engine = new Engine();
    const { told } = engine;
    engine.ends = [5, 9];
    engine.newestFact = 6;
    await someRounds();
    engine.ends = [50, 50]; // what comes later is counted as it comes
    expect([told, engine.asked]).toEqual([[], []]);
    engine.merged = [5, 9];
    await eventually(() => (engine?.asked.length ?? 0) > 0);
    expect(told).toEqual([]); // the newest fact there is not the split
    engine.newestFact = 7;
    await eventually(() => told.length > 0);
    expect(engine.asked[0]).toMatchObject({ personId: 'cio_a', names: ['Added to Cart'], factsTo: 3 });
    const marks = [
      [T0, 'm2'],
      [T0, 'm1'],
    ];
    expect(told).toEqual([
      {
        type: 'apart',
        told: {
          ...{ personId: 'cio_a', clearedBy: 7, asOf: T0, asOfFact: 7, rules: { 's:keen': 4 }, isLast: true },
          found: [{ rule: 's:keen', pointer: '/when', marks }],
        },
      },
    ]);
    await someRounds();
    expect(told).toHaveLength(1);
  });

  test('is over at once where no rule counts anything', async () => {
    engine = new Engine([]);
    await eventually(() => (engine?.told.length ?? 0) > 0);
    expect(engine.told).toMatchObject([{ told: { found: [], isLast: true } }]);
    expect(engine.asked).toEqual([]);
  });
});

describe('the past of a rule that several partitions want', () => {
  test('is read at once, and each is told its own from where it is', async () => {
    const asked: SharedQuestion[] = [];
    const told: { readonly partition: number | undefined; readonly message: PastMessage }[] = [];
    const of = (writtenId: string, partition: number, offset: number): PastEvent => ({
      ...{ writtenId, personId: writtenId, partition, offset },
      event: {
        ...{
          name: 'Added to Cart',
          type: 'event',
          messageId: `m${String(offset)}`,
          time: T0,
          receivedAt: T0,
        },
        properties: () => ({}),
      },
    });
    const events = [of('a', 0, 3), of('b', 1, 2), of('c', 0, 4), of('c', 1, 1), of('d', 1, 9)];
    const keen = (partition: number, fence: number, after: string): WantedPast => ({
      ...{ workspace: 'shop', partition },
      rules: [{ ...rule, fence, after }],
    });
    const other = { ...keen(1, 5, ''), rules: [{ ...rule, version: 5, fence: 5 }] };
    const reader = new PastReader({
      ...{ codecs, logger: silentLogger, replayed: () => undefined },
      placing: {
        histories: () => {
          throw new Error('nobody asks for a journey');
        },
      },
      source: {
        read: (question) => {
          asked.push(question);
          const people = new Map([
            [0, 2],
            [1, 3],
          ]);
          return Promise.resolve({ people, asOf: T0, asOfFact: 7, events: inTurn(events) });
        },
        person: () => Promise.reject(new Error('nobody was taken apart')),
      },
      // The third partition's rows are not all there.
      wanted: () => [keen(0, 5, 'a\0\uffff'), keen(1, 5, ''), keen(2, 8, ''), other],
      admin: {
        committedOffsets: () => Promise.resolve([5, 5, 5].map((offset) => ({ offset, metadata: null }))),
        endOffsets: () => Promise.resolve([5, 5, 5]),
      },
      producer: {
        send: (_topic, _key, value, partition) => {
          const message = decodePast(codecs.Transfer.decode(Buffer.from(value)).state ?? '');
          told.push({ partition, message });
          return Promise.resolve(0);
        },
      },
    });
    reader.start();
    try {
      await eventually(() => told.length >= 6);
    } finally {
      await reader.stop();
    }
    expect(asked.map(({ parts }) => parts)).toEqual([
      [
        { partition: 0, fence: 5, from: 'a' },
        { partition: 1, fence: 5, from: '' },
      ],
      [{ partition: 1, fence: 5, from: '' }],
    ]);
    const stretch = (people: readonly string[], from: string, to: string) => ({
      ...{ type: 'stretch', people: people.length, from, to },
    });
    expect(told.slice(0, 4)).toMatchObject([
      { partition: 0, message: { ...stretch(['c'], 'a\0\uffff', 'c\0\uffff'), of: 2 } },
      { partition: 0, message: { type: 'end', from: 'c\0\uffff' } },
      { partition: 1, message: { ...stretch(['b', 'c', 'd'], '', 'd\0\uffff'), of: 3 } },
      { partition: 1, message: { type: 'end', from: 'd\0\uffff' } },
    ]);
    const marked = told.map(({ message }) =>
      message.type === 'stretch'
        ? message.found.map(({ writtenId, marks }) => [writtenId, marks.length])
        : [],
    );
    // What the fence keeps out is counted as it comes.
    expect(marked.slice(0, 3)).toEqual([
      [['c', 1]],
      [],
      [
        ['b', 1],
        ['c', 1],
      ],
    ]);
  });
});

test('a rule whose past cannot be read holds up no other', async () => {
  const told: string[] = [];
  const of = (workspace: string): WantedPast => ({ workspace, partition: 1, rules: [{ ...rule, fence: 5 }] });
  const offsets = [5, 5].map((offset) => ({ offset, metadata: null }));
  const reader = new PastReader({
    ...{ codecs, logger: silentLogger, replayed: () => undefined },
    placing: {
      histories: () => {
        throw new Error('nobody asks for a journey');
      },
    },
    source: {
      read: ({ workspace }) =>
        workspace === 'dear'
          ? Promise.reject(new Error('Memory limit exceeded'))
          : Promise.resolve({ people: new Map(), asOf: T0, asOfFact: 7, events: inTurn([]) }),
      person: () => Promise.reject(new Error('nobody was taken apart')),
    },
    wanted: () => [of('dear'), of('shop')],
    admin: { committedOffsets: () => Promise.resolve(offsets), endOffsets: () => Promise.resolve([5, 5]) },
    producer: {
      send: (_topic, key) => {
        told.push(key.toString());
        return Promise.resolve(0);
      },
    },
  });
  reader.start();
  try {
    await eventually(() => told.length > 0);
  } finally {
    await reader.stop();
  }
  expect(told).toEqual(['shop:']);
});

async function* inTurn<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
