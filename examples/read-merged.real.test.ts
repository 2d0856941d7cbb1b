/** The TypeScript example, as its reader would start it, beside transactions that were aborted. */
import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { topics } from '../schemas/topics.ts';
import { sampleMerged } from '../services/testing/sink/sample-load.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { withoutAborted } from './typescript/repair-kafkajs.ts';

const brokers = process.env['TEST_KAFKA_BROKERS'] ?? '';
const registryUrl = process.env['TEST_SCHEMA_REGISTRY_URL'] ?? '';

test('a reader in TypeScript sees committed events in order, and nothing of an aborted transaction', async () => {
  const prefix = `example-${String(process.pid)}-${String(Date.now())}.`;
  const codecs = await registerSchemas({ url: registryUrl });
  const log = await openLog({ brokers: brokers.split(','), clientId: 'example-test', prefix });
  await log.admin.createTopics(1);
  const producers = await Promise.all(
    ['a', 'b'].map((transactionalId) => log.transactionalProducer({ transactionalId, timeoutMs: 30_000 })),
  );
  const [first, second] = producers;
  if (first === undefined || second === undefined) throw new Error('no producers');
  await first.init();
  await second.init();
  const write = async (producer: typeof first, ...numbers: number[]): Promise<void> => {
    const outputs = log.newOutputBuffer();
    for (const number of numbers) {
      outputs.append(
        'eventsMerged',
        0,
        Buffer.from('sample:x'),
        codecs.MergedEvent.encode(sampleMerged(number, 1_000)),
      );
    }
    await producer.send(outputs);
    outputs.clear();
  };
  await write(first, 1, 2);
  await first.commit();
  // Two aborted transactions that overlap: what kafkajs 2.2.4 gets wrong.
  await write(second, 901);
  await write(first, 902);
  await write(second, 903);
  await write(first, 904);
  await first.abort();
  await second.abort();
  await write(first, 3);
  await first.commit();
  await log.close();

  const script = fileURLToPath(new URL('./typescript/read-merged.ts', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], {
    timeout: 90_000,
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      KAFKA_BROKERS: brokers,
      SCHEMA_REGISTRY_URL: registryUrl,
      READ_TOPIC: prefix + topics.eventsMerged.name,
      READ_GROUP: `${prefix}reader`,
      READ_COUNT: '3',
    },
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { message_id: string; properties: { note: string } });
  expect(lines.map(({ message_id }) => message_id)).toEqual(['message-1', 'message-2', 'message-3']);
  expect(lines[0]?.properties.note).toBe('größe 42\t\n\0');
  expect(stderr).not.toContain('TimeoutNegativeWarning');
});

test('the repair leaves out every overlapping aborted transaction, in whatever order the broker names them', () => {
  const message = (offset: number, producerId: string, marker?: number) => ({
    offset: String(offset),
    key: marker === undefined ? Buffer.from('k') : Buffer.from([0, 0, 0, marker]),
    isControlRecord: marker !== undefined,
    batchContext: { producerId, inTransaction: true },
  });
  const messages = [
    message(5, 'A'),
    message(6, 'B'),
    message(7, 'A'),
    message(8, 'B', 0),
    message(9, 'A', 0),
    message(10, 'A'),
  ];
  const kept = withoutAborted({
    messages,
    abortedTransactions: [
      { producerId: 'B', firstOffset: '6' },
      { producerId: 'A', firstOffset: '5' },
    ],
  });
  expect(kept.filter(({ isControlRecord }) => !isControlRecord).map(({ offset }) => offset)).toEqual(['10']);
});
