/**
 * What the log port costs by itself: reads a topic, appends every record to the outputs, and commits them with the
 * offsets in a transaction every 100 ms. It is the limit for every service.
 * `npm run bench -- log [--events 2000000] [--bytes 276] [--partitions 4] [--runs 3] [--commit 100] [--fetch 4]
 *    [--batch 16] [--copies on] [--brokers 127.0.0.1:9092] [--broker-pid PID]`
 *
 * Sizes are those of the Kafka Streams application that the merger is measured against: a key of 36 bytes, a value of
 * 276. CPU is this process's, from the first record to the last commit, warm-up included in the first run.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { BenchRow } from '../scripts/bench.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import type {
  Log,
  LogReader,
  Position,
  RecordSlice,
  TransactionalProducer,
} from '../services/runtime/log/ports.ts';

const INPUT = 'eventsCollected';
const OUTPUT = 'eventsMerged';
const KEY_BYTES = 36;
const FILL_EVENTS = 20_000;
const TICKS_PER_SECOND = 100;

interface BenchOptions {
  readonly events: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly commitMs: number;
  readonly fetchBytesMax: number;
  readonly batchBytesMax: number;
  /** Without outputs: what reading alone costs. */
  readonly copies: boolean;
  readonly brokerPid: number | undefined;
}

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '2000000' },
      bytes: { type: 'string', default: '276' },
      partitions: { type: 'string', default: '4' },
      runs: { type: 'string', default: '3' },
      commit: { type: 'string', default: '100' },
      fetch: { type: 'string', default: '4' },
      batch: { type: 'string', default: '16' },
      copies: { type: 'string', default: 'on' },
      brokers: { type: 'string', default: process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092' },
      'broker-pid': { type: 'string' },
    },
  });
  const options: BenchOptions = {
    events: Number(values.events),
    valueBytes: Number(values.bytes),
    partitions: Number(values.partitions),
    commitMs: Number(values.commit),
    fetchBytesMax: Number(values.fetch) * 2 ** 20,
    batchBytesMax: Number(values.batch) * 2 ** 20,
    copies: values.copies === 'on',
    brokerPid: values['broker-pid'] === undefined ? undefined : Number(values['broker-pid']),
  };
  const prefix = `bench-log-${String(Date.now())}.`;
  const log = await openLog({ brokers: values.brokers.split(','), clientId: 'bench-log', prefix });
  try {
    await log.admin.createTopics(options.partitions);
    await fill(log, options);
    const rows: BenchRow[] = [];
    for (let run = 1; run <= Number(values.runs); run++) rows.push(await passThrough(log, options, run));
    return rows;
  } finally {
    await log.close();
  }
}

async function fill(log: Log, { events, valueBytes, partitions }: BenchOptions): Promise<void> {
  const producer = await log.transactionalProducer({ transactionalId: 'fill', timeoutMs: 60_000 });
  await producer.init();
  const outputs = log.newOutputBuffer();
  const value = Buffer.alloc(valueBytes, '{"properties":"of an event"}');
  for (let i = 0; i < events; i++) {
    const key = Buffer.from(`visitor-${String((i * 7_919) % 180_000)}`.padEnd(KEY_BYTES, '-'));
    outputs.append(INPUT, i % partitions, key, value);
    if (i % FILL_EVENTS !== FILL_EVENTS - 1 && i !== events - 1) continue;
    await producer.send(outputs);
    outputs.clear();
  }
  await producer.commit();
  await producer.close();
}

/** Reads from the beginning to the number of events that were filled in. */
async function passThrough(log: Log, options: BenchOptions, run: number): Promise<BenchRow> {
  const producer = await log.transactionalProducer({ transactionalId: 'pass', timeoutMs: 10_000 });
  await producer.init();
  const reader = log.reader({
    bufferBytesMax: 48 << 20,
    fetchBytesMax: options.fetchBytesMax,
    waitMsMax: 100,
  });
  const positions = Array.from({ length: options.partitions }, (_, partition): Position => ({
    topic: INPUT,
    partition,
    offset: 0,
  }));
  await reader.start(positions);
  await reader.wait(10_000);
  const cpu = process.cpuUsage();
  const brokerBefore = brokerCpuSeconds(options.brokerPid);
  const startedAt = performance.now();
  const transactions = await pass(log, reader, producer, options);
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const brokerSeconds = brokerCpuSeconds(options.brokerPid) - brokerBefore;
  await reader.close();
  await producer.close();
  const millions = options.events / 1e6;
  return {
    run,
    events: options.events,
    'events/s': Math.round(options.events / seconds),
    'events per CPU s': Math.round((options.events / (user + system)) * 1e6),
    'user %': Math.round((user / (user + system)) * 100),
    'broker CPU s per 1M':
      options.brokerPid === undefined ? '' : Number((brokerSeconds / millions).toFixed(2)),
    transactions,
    'RSS MiB': process.memoryUsage().rss >> 20,
  };
}

/**
 * Reads so many events and writes them in transactions; returns how many it took. The merger's race runs it, too, in a
 * process of its own.
 */
export async function pass(
  log: Log,
  reader: LogReader,
  producer: TransactionalProducer,
  options: Pick<BenchOptions, 'events' | 'commitMs' | 'batchBytesMax' | 'copies'>,
): Promise<number> {
  const outputs = log.newOutputBuffer();
  const next = new Map<number, number>();
  let held: RecordSlice[] = [];
  let transactions = 0;
  let heldBytes = 0;
  let dueAt = performance.now() + options.commitMs;
  for (let left = options.events; left > 0 || held.length > 0;) {
    const now = performance.now();
    if (held.length > 0 && (now >= dueAt || heldBytes >= options.batchBytesMax || left === 0)) {
      await producer.send(outputs);
      await producer.sendOffsets(
        'pass',
        [...next].map(([partition, offset]) => ({ topic: INPUT, partition, offset })),
      );
      await producer.commit();
      outputs.clear();
      for (const slice of held) slice.release();
      held = [];
      heldBytes = 0;
      transactions++;
      dueAt = performance.now() + options.commitMs;
      continue;
    }
    const slices = reader.take(options.batchBytesMax - heldBytes);
    if (slices.length === 0) await reader.wait(Math.max(1, dueAt - now));
    for (const slice of slices) {
      slice.forEach(({ bytes, partition, keyStart, keyEnd, valueStart, valueEnd }) => {
        left--;
        if (options.copies)
          outputs.append(
            OUTPUT,
            partition,
            bytes.subarray(keyStart, keyEnd),
            bytes.subarray(valueStart, valueEnd),
          );
      });
      next.set(slice.partition, slice.next);
      heldBytes += slice.byteLength;
      held.push(slice);
    }
  }
  return transactions;
}

function brokerCpuSeconds(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const [, userTicks = 0, systemTicks = 0] = /\) (?:\S+ ){11}(\d+) (\d+)/.exec(stat)?.map(Number) ?? [];
  return (userTicks + systemTicks) / TICKS_PER_SECOND;
}
