/** The producer of ingest before brokers that answer as told: what is acknowledged is written once, in order. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../../testing/eventually.ts';
import { CodedError } from '../../errors.ts';
import { BytePool } from '../byte-pool.ts';
import { Cluster } from '../connection/cluster.ts';
import { IdempotentProducer } from './producer.ts';
import {
  ScriptedBrokers,
  scriptedTopic,
  type Asked,
  type Verdict,
} from '../../../testing/log/scripted-brokers.ts';
import { runs } from '../../../testing/runs.ts';

const INIT_PRODUCER_ID = 22;
const [OUT_OF_ORDER, FENCED, FORGOTTEN] = [45, 47, 59];

let brokers: ScriptedBrokers;
let cluster: Cluster;

async function open(sendMsMax: number, lingerMs = 1): Promise<IdempotentProducer> {
  brokers = await ScriptedBrokers.open(1);
  cluster = new Cluster({ brokers: brokers.addresses, clientId: 'test', frames: new BytePool(1 << 20) });
  const pool = new BytePool(1 << 20);
  const limits = {
    linger: { lingerMs, lingerMsMax: lingerMs },
    pendingRecordsMax: 1_000,
    pendingBytesMax: 1 << 20,
    sendMsMax,
  };
  return IdempotentProducer.open({ cluster, pool, topicName: () => scriptedTopic, ...limits });
}
afterEach(async () => {
  cluster.destroy();
  await brokers.close();
});

async function send(to: IdempotentProducer, value: string, partition = 0): Promise<number> {
  return await to.send('eventsCollected', Buffer.from('key'), Buffer.from(`<${value}>`), partition);
}

/** Of a sealed batch. */
function contentOf(batch: Buffer) {
  const values = [...batch.toString('latin1').matchAll(/<(\w+)>/g)].map(([, value]) => value ?? '');
  return { producerId: batch.readInt32BE(47), sequence: batch.readInt32BE(53), values };
}

describe.each([
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', OUT_OF_ORDER],
  ['INVALID_PRODUCER_EPOCH', FENCED],
  ['UNKNOWN_PRODUCER_ID', FORGOTTEN],
])('a batch that is answered with %s', (_, code) => {
  let producer: IdempotentProducer;
  let batches: ReturnType<typeof contentOf>[];
  beforeEach(() => {
    batches = [];
  });
  async function answering(sendMsMax: number, verdicts: (Verdict | Promise<Verdict>)[]): Promise<void> {
    producer = await open(sendMsMax);
    brokers.produce = ({ batch }) => {
      batches.push(contentOf(batch));
      return verdicts.shift() ?? 0;
    };
  }

  test('at its first attempt is not in the log: it is sent once more, under a new id', async () => {
    await answering(30_000, [code]);
    expect(await send(producer, 'first')).toBe(0);
    expect(batches).toEqual([
      { producerId: 1, sequence: 0, values: ['first'] },
      { producerId: 2, sequence: 0, values: ['first'] },
    ]);
    await producer.close();
  });

  test('at a later one may be in the log: its sender is told, and it is not sent again', async () => {
    await answering(30_000, ['cut', code]);
    await expect(send(producer, 'doubtful')).rejects.toMatchObject({
      code: 'log_unavailable',
      retryable: true,
    });
    await send(producer, 'next');
    expect(batches.map(({ producerId, values: [value] }) => [producerId, value])).toEqual([
      [1, 'doubtful'],
      [1, 'doubtful'],
      [2, 'next'],
    ]);
    await producer.close();
  });

  test('when its sender has given it up is not sent again: the sender does that', async () => {
    let answer: (verdict: Verdict) => void = () => undefined;
    await answering(3_000, [new Promise<Verdict>((told) => (answer = told))]);
    await expect(send(producer, 'late')).rejects.toMatchObject({ code: 'log_unavailable' });
    const again = send(producer, 'again');
    answer(code);
    await again;
    expect(batches.map(({ values }) => values)).toEqual([['late'], ['again']]);
    expect(batches.map(({ producerId }) => producerId)).toEqual([1, 2]);
    expect(brokers.count(INIT_PRODUCER_ID)).toBe(2);
    await producer.close();
  });
});

test('what is given up is not sent, but for what is under way; what follows comes after it', async () => {
  const producer = await open(30_000);
  const batches: ReturnType<typeof contentOf>[] = [];
  let answer: (verdict: Verdict) => void = () => undefined;
  const verdicts = [new Promise<Verdict>((told) => (answer = told))];
  brokers.produce = ({ batch }) => {
    batches.push(contentOf(batch));
    return verdicts.shift() ?? 0;
  };
  await producer.prepare(['eventsCollected']);
  const told: string[] = [];
  const post = (value: string): void => {
    const bytes = Buffer.from(`key<${value}>`);
    const record = { bytes, start: 0, keyEnd: 3, end: bytes.length, partition: 0 };
    const say = (outcome: string) => () => told.push(`${value} ${outcome}`);
    producer.post('eventsCollected', record, { resolve: say('kept'), reject: say('given up') }, 0);
  };
  post('under_way');
  await eventually(() => batches.length === 1);
  post('waiting');
  producer.giveUp();
  expect(told).toEqual(['under_way given up', 'waiting given up']);
  expect(producer.pending).toBe(0);
  post('next');
  answer(0);
  await eventually(() => told.includes('next kept'));
  expect(batches.map(({ values }) => values)).toEqual([['under_way'], ['next']]);
  await producer.close();
});

describe('with 256 KiB to send', () => {
  const MINUTE_MS = 60_000;
  const RECORD_BYTES = 100 << 10;
  const posting = (producer: IdempotentProducer, kept: number[], records: number): void => {
    for (let record = 0; record < records; record++) {
      const bytes = Buffer.alloc(3 + RECORD_BYTES, 'v');
      const sent = { bytes, start: 0, keyEnd: 3, end: bytes.length, partition: 0 };
      const waiter = { resolve: (offset: number) => kept.push(offset), reject: () => undefined };
      producer.post('eventsCollected', sent, waiter, record);
    }
  };

  test('a producer waits for no more', async () => {
    const producer = await open(MINUTE_MS, MINUTE_MS);
    await producer.prepare(['eventsCollected']);
    const kept: number[] = [];
    posting(producer, kept, 2);
    await sleep(50);
    expect(kept).toEqual([]);
    posting(producer, kept, 1);
    await eventually(() => kept.length === 3);
    await producer.close();
  });

  test('it waits for what is under way and no longer', async () => {
    const producer = await open(MINUTE_MS, MINUTE_MS);
    let answer: (verdict: Verdict) => void = () => undefined;
    const verdicts = [new Promise<Verdict>((told) => (answer = told))];
    let requests = 0;
    brokers.produce = () => {
      requests += 1;
      return verdicts.shift() ?? 0;
    };
    await producer.prepare(['eventsCollected']);
    const kept: number[] = [];
    posting(producer, kept, 3);
    await eventually(() => requests === 1);
    posting(producer, kept, 4); // three at once, which find their partition busy, and one that waits behind them
    await sleep(50);
    expect(requests).toBe(1);
    answer(0);
    await eventually(() => kept.length === 7);
    expect(requests).toBe(2);
    await producer.close();
  });
});

/** A partition of a broker: batches of an id in their sequence, each once. */
class Ledger {
  readonly values: string[] = [];
  readonly #last = new Map<number, { first: number; next: number }>();

  append(batch: Buffer): number {
    const { producerId, sequence, values } = contentOf(batch);
    const last = this.#last.get(producerId);
    if (last?.first === sequence && last.next === sequence + values.length) return 0; // it has it: an answer was lost
    if (last !== undefined && last.next !== sequence) return OUT_OF_ORDER;
    this.#last.set(producerId, { first: sequence, next: sequence + values.length });
    this.values.push(...values);
    return 0;
  }
}

type Fate = 'taken' | 'lost' | 'answer lost' | 'refused' | 'not leader' | 'left out' | 'slow';
const fates: readonly Fate[] = ['lost', 'answer lost', 'refused', 'not leader', 'left out', 'slow'];
const [NOT_LEADER, SLOW_MS, SEND_MS_MAX] = [6, 900, 400];

function meet(fate: Fate, ledger: Ledger, { batch }: Asked): Verdict | Promise<Verdict> {
  switch (fate) {
    case 'taken':
      return ledger.append(batch);
    case 'lost':
      return 'cut';
    case 'answer lost':
      ledger.append(batch);
      return 'cut';
    case 'refused':
      return FORGOTTEN;
    case 'not leader':
      return NOT_LEADER;
    case 'left out':
      return 'nothing';
    case 'slow': // its sender gives it up meanwhile
      return sleep(SLOW_MS).then(() => ledger.append(batch));
  }
}

test('whatever becomes of its requests: what is acknowledged is written once and in order, the rest at most once', async () => {
  const faults = fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...fates)), { minLength: 4, maxLength: 10 });
  await fc.assert(
    fc.asyncProperty(faults, async (plan) => {
      const producer = await open(SEND_MS_MAX);
      const ledgers = [new Ledger(), new Ledger()];
      const script = plan.flatMap(([taken, fate]): Fate[] => [...new Array<Fate>(taken).fill('taken'), fate]);
      brokers.produce = (asked) => {
        const ledger = ledgers[asked.partition];
        if (ledger === undefined) throw new Error('there are two partitions');
        return meet(script.shift() ?? 'taken', ledger, asked);
      };
      const outcomes: [number, string, Promise<boolean>][] = [];
      let number = 0;
      // Until the script is through, and some more.
      for (let more = 0; more < 5; more += script.length === 0 ? 1 : 0) {
        const value = String(number++).padStart(5, '0');
        const partition = number % 2;
        const told = send(producer, value, partition).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(CodedError);
            expect(error).toMatchObject({ retryable: true });
            return false;
          },
        );
        outcomes.push([partition, value, told]);
        await sleep(2);
        await eventually(() => producer.pending < 500);
      }
      const acknowledged = new Set<string>();
      for (const [partition, value, told] of outcomes) {
        if (!(await told)) continue;
        acknowledged.add(value);
        expect({ value, written: ledgers[partition]?.values.includes(value) }).toEqual({
          value,
          written: true,
        });
      }
      await producer.close();
      for (const { values } of ledgers) {
        expect(values.length).toBe(new Set(values).size);
        const sure = values.filter((value) => acknowledged.has(value)); // what was given up may come late
        expect(sure).toEqual(sure.toSorted());
      }
      cluster.destroy();
      await brokers.close();
    }),
    { numRuns: runs(6) },
  );
});
