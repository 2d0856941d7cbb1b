import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { localCodecs, UnknownSchemaError } from '../../schemas/codec.ts';
import type { Definition } from '../../schemas/records.ts';
import type { LogReader, RecordSlice } from '../runtime/log/ports.ts';
import { silentLogger } from '../runtime/logger.ts';
import { definitionDayBytesMax } from './definition-days.ts';
import { DefinitionsLog } from './definitions-log.ts';

const codec = localCodecs().Definition;

/** One partition in memory, whose reader can bring slices twice or fail. */
class Topic {
  readonly values: Buffer[] = [];
  readersStarted = 0;
  /** The next take fails with it. */
  fault: Error | undefined;
  sliceTwice = false;

  append(definition: Partial<Definition>): void {
    const whole = {
      kind: 'segment',
      workspace: 'shop',
      id: 's',
      version: 1,
      deleted: false,
      at: 1,
      body: '{}',
    } as const;
    this.values.push(codec.encode({ ...whole, ...definition }));
  }

  send = async (_topic: string, _key: Uint8Array, value: Uint8Array): Promise<number> => {
    await Promise.resolve();
    return this.values.push(Buffer.from(value)) - 1;
  };

  reader = (): LogReader => {
    let next = 0;
    return {
      start: ([position]) => {
        this.readersStarted++;
        next = position?.offset ?? 0;
        return Promise.resolve();
      },
      take: () => {
        const { fault } = this;
        this.fault = undefined;
        if (fault !== undefined) throw fault;
        if (next === this.values.length) return [];
        const slice = this.#slice(next);
        next = slice.next;
        return this.sliceTwice ? [slice, slice] : [slice];
      },
      bufferedBytes: 0,
      wait: () => new Promise((resolve) => setTimeout(resolve, 2)),
      pace: () => undefined,
      failing: () => [],
      endAsOf: () => (next === this.values.length ? Date.now() : undefined),
      close: () => Promise.resolve(),
    };
  };

  #slice(from: number): RecordSlice {
    const values = this.values.slice(from);
    return {
      topic: 'definitions',
      partition: 0,
      from,
      next: from + values.length,
      byteLength: 1,
      forEach: (visit) => {
        values.forEach((bytes, index) => {
          visit({
            topic: 'definitions',
            partition: 0,
            offset: from + index,
            appendedAt: 0,
            bytes,
            keyStart: 0,
            keyEnd: 0,
            valueStart: 0,
            valueEnd: bytes.length,
          });
        });
      },
      release: () => undefined,
    };
  }
}

let topic: Topic;
let now = 5;
const dayLater = (): void => void (now += 86_400_000);
let definitions: DefinitionsLog;
const learned: number[] = [];
const warned: unknown[] = [];

beforeEach(() => {
  topic = new Topic();
  now = 5;
  warned.length = 0;
  definitions = new DefinitionsLog({
    log: {
      reader: topic.reader,
      admin: {
        endOffsets: () => Promise.resolve([topic.values.length]),
        writtenOffsets: () => Promise.resolve([topic.values.length]),
        startOffsets: () => Promise.resolve([0]),
        createTopics: () => Promise.resolve({ created: [] }),
        partitionsOf: () => Promise.resolve(1),
        committedOffsets: () => Promise.resolve([]),
      },
    },
    producer: topic,
    codec,
    logger: { ...silentLogger, warn: (fields) => void warned.push(fields) },
    learnSchema: (schemaId) => {
      learned.push(schemaId);
      return Promise.resolve();
    },
    now: () => now,
  });
});
afterEach(() => definitions.close());

describe('the definitions as the gateway sees them', () => {
  test('open has read all that was there', async () => {
    for (let version = 1; version <= 3; version++)
      topic.append({ version, body: `{"v":${String(version)}}` });
    await definitions.open();
    expect(definitions.get('segment', 'shop', 's')).toMatchObject({ version: 3, body: { v: 3 } });
    expect(definitions.offset).toBe(3);
  });

  test('a workspace writes so many bytes of them a day, counted from what is on the topic', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(definitionDayBytesMax / 2 - 1_000) });
    topic.append({ body });
    await definitions.open();
    const put = (workspace: string) =>
      definitions.put('segment', workspace, 's', { body: JSON.parse(body) as unknown });
    expect(await put('shop')).toMatchObject({ version: 2 });
    await expect(put('shop')).rejects.toMatchObject({ code: 'definitions_day_full', retryAfterS: 86_400 });
    await expect(definitions.remove('segment', 'shop', 's')).resolves.toBe(3);
    expect(await put('other')).toMatchObject({ version: 1 });
    dayLater();
    expect(await put('shop')).toMatchObject({ version: 4 });
  });

  test('versions count on from what is there, for each definition by itself, over a removal', async () => {
    topic.append({ version: 7 });
    await definitions.open();
    expect(await definitions.put('segment', 'shop', 's', { body: { a: 1 } })).toMatchObject({
      version: 8,
      at: 5,
      body: { a: 1 },
    });
    expect(await definitions.put('segment', 'other', 's', { body: {} })).toMatchObject({ version: 1 });
    expect(await definitions.remove('segment', 'shop', 's')).toBe(9);
    expect(definitions.get('segment', 'shop', 's')).toBeUndefined();
    expect(await definitions.put('segment', 'shop', 's', { body: {} })).toMatchObject({ version: 10 });
  });

  test('writes at the same time get a version each', async () => {
    await definitions.open();
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, v) => definitions.put('segment', 'shop', 's', { body: { v } })),
    );
    expect(written.map((stored) => stored?.version)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  test('security 9: a limit on the count, and what is there to be removed, are looked at in turn', async () => {
    await definitions.open();
    const write = { body: {}, countMax: 2 };
    const written = await Promise.all(
      ['a', 'b', 'c', 'a'].map((id) => definitions.put('segment', 'shop', id, write)),
    );
    expect(written.map((stored) => stored?.version)).toEqual([1, 1, undefined, 2]);
    const removals = [1, 2].map(() => definitions.remove('segment', 'shop', 'a'));
    expect(await Promise.all(removals)).toEqual([3, undefined]);
  });

  test('security 5: a definition stored before a bound is said once, and the others are read', async () => {
    const when = { attribute: 'plan', operator: 'matches', value: '.{1000}'.repeat(20) };
    topic.append({ id: 'old', body: JSON.stringify({ name: 'x', type: 'data_driven', when }) });
    topic.append({ id: 'new' });
    await definitions.open();
    expect(warned).toEqual([{ kind: 'segment', workspace: 'shop', id: 'old', faults: 1 }]);
    expect(definitions.list('segment', 'shop').map(({ id }) => id)).toEqual(['new', 'old']);
  });

  test('a clock that several calls ask for is written once, and never set back', async () => {
    await definitions.open();
    await Promise.all([
      definitions.advanceClockTo(100),
      definitions.advanceClockTo(100),
      definitions.advanceClockTo(50),
    ]);
    expect(definitions.clock).toBe(100);
    expect(topic.values).toHaveLength(1);
  });

  test('a slice that comes twice changes nothing', async () => {
    topic.sliceTwice = true;
    for (let version = 1; version <= 3; version++) topic.append({ version });
    await definitions.open();
    expect(definitions.offset).toBe(3);
    expect(await definitions.put('segment', 'shop', 's', { body: {} })).toMatchObject({ version: 4 });
  });

  test('a reader that fails is replaced, and a schema that is not known is learned', async () => {
    await definitions.open();
    topic.fault = new UnknownSchemaError(99);
    expect(await definitions.put('segment', 'shop', 's', { body: {} })).toMatchObject({ version: 1 });
    expect(topic.readersStarted).toBe(2);
    expect(learned).toEqual([99]);
  });

  test('a write that fails does not hold up the next one', async () => {
    await definitions.open();
    const { send } = topic;
    topic.send = () => Promise.reject(new Error('lost'));
    await expect(definitions.put('segment', 'shop', 's', { body: {} })).rejects.toThrow('lost');
    topic.send = send;
    expect(await definitions.put('segment', 'shop', 's', { body: {} })).toMatchObject({ version: 1 });
  });
});
