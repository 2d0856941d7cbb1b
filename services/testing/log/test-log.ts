/** For the suites that run against a broker: a log under a fresh prefix, and what a read_committed reader finds in it. */
import type { TopicId } from '../../../schemas/topics.ts';
import { openLog } from '../../runtime/log/open-log.ts';
import type { Log } from '../../runtime/log/ports.ts';

export function testBrokers(): string[] {
  const brokers = process.env['TEST_KAFKA_BROKERS'];
  if (brokers === undefined) throw new Error('TEST_KAFKA_BROKERS is not set: it comes from parts-setup.ts');
  return brokers.split(',');
}

export interface TestLog {
  readonly log: Log;
  readonly prefix: string;
}

/** @param partitions of every topic. */
export async function openTestLog(name: string, partitions: number): Promise<TestLog> {
  const prefix = `${name}-${String(process.pid)}-${String(Date.now())}.`;
  const log = await openLog({ brokers: testBrokers(), clientId: `test-${name}`, prefix });
  await log.admin.createTopics(partitions);
  return { log, prefix };
}

export interface ReadRecord {
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

const READ_MS_MAX = 120_000;

/**
 * Every record of a partition, to the end that the broker names now; again while there are fewer than `atLeast`, since
 * the end may not count yet what was committed just before.
 */
export async function readToEnd(log: Log, topic: TopicId, partition = 0, atLeast = 0): Promise<ReadRecord[]> {
  const deadline = performance.now() + READ_MS_MAX;
  for (;;) {
    const records = await readOnce(log, topic, partition);
    if (records.length >= atLeast || performance.now() > deadline) return records;
  }
}

async function readOnce(log: Log, topic: TopicId, partition: number): Promise<ReadRecord[]> {
  const end = (await log.admin.endOffsets(topic))[partition] ?? 0;
  const first = (await log.admin.startOffsets(topic))[partition] ?? 0;
  const reader = log.reader({ bufferBytesMax: 8 << 20, fetchBytesMax: 1 << 20, waitMsMax: 50 });
  const records: ReadRecord[] = [];
  try {
    await reader.start([{ topic, partition, offset: first }]);
    const deadline = performance.now() + READ_MS_MAX;
    for (let next = first; next < end;) {
      if (performance.now() > deadline)
        throw new Error(`read to ${String(next)} of ${String(end)} in ${String(READ_MS_MAX)} ms`);
      await reader.wait(1_000);
      for (const slice of reader.take(1 << 20)) {
        slice.forEach((record) => {
          const { bytes, offset, keyStart, keyEnd, valueStart, valueEnd } = record;
          const key = bytes.toString('utf8', keyStart, keyEnd);
          records.push({ offset, key, value: bytes.toString('utf8', valueStart, valueEnd) });
        }, end);
        next = slice.next;
        slice.release();
      }
    }
  } finally {
    await reader.close();
  }
  return records;
}
