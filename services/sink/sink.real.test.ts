/** The sink's promise on real parts: every record is a row, once, whatever stops, freezes or takes over. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from './schema/migrate.ts';
import { localCodecs } from '../../schemas/codec.ts';
import { eventually } from '../testing/eventually.ts';
import { silentLogger } from '../runtime/logger.ts';
import { openLog } from '../runtime/log/open-log.ts';
import type { Log } from '../runtime/log/ports.ts';
import { compareWithTopics } from '../testing/sink/compare-with-topics.ts';
import { startFreezingProxy } from '../testing/sink/freezing-proxy.ts';
import { sampleMerged, startLoad } from '../testing/sink/sample-load.ts';
import { Sink } from './sink.ts';
import { openTarget, type Target } from './target.ts';

const env = process.env;
const brokers = (env['TEST_KAFKA_BROKERS'] ?? '').split(',');
const engine = {
  url: env['TEST_CLICKHOUSE_URL'] ?? '',
  username: env['TEST_CLICKHOUSE_USER'] ?? '',
  password: env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
};
const codecs = localCodecs();
const PARTITIONS = 4;
const EXACT = { lost: 0, doubled: 0, wrong: 0 };

let suite = 0;
let address: typeof engine & { database: string };
let log: Log;
let target: Target;

/** A sink in this process. `ended` settles when it stops or is fenced. */
function startSink(to = address, group?: string) {
  const stop = new AbortController();
  const abort = new AbortController();
  const own = openTarget(to, { replicated: false });
  const sink = new Sink({
    log,
    codecs,
    learn: () => Promise.reject(new Error('there is one version of each schema')),
    target: own,
    logger: silentLogger,
    task: 0,
    tasks: 1,
    ...(group !== undefined && { group }),
    stopSignal: stop.signal,
    abortSignal: abort.signal,
  });
  const ended = sink
    .run()
    .then(
      () => 'stopped',
      (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'aborted'),
    )
    .finally(() => own.close());
  return {
    sink,
    ended,
    stop: () => (stop.abort(), ended),
    abort: () => (abort.abort(), stop.abort(), ended),
  };
}

async function send(count: number): Promise<void> {
  const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 100_000 });
  const numbers = Array.from({ length: count }, (_, index) => sent + index);
  await Promise.all(
    numbers.map((number) =>
      producer.send(
        'eventsMerged',
        Buffer.from(`sample:${String(number)}`),
        codecs.MergedEvent.encode(sampleMerged(number, Date.now())),
      ),
    ),
  );
  sent += count;
  await producer.close();
}
let sent = 0;

async function untilRows(rows: number): Promise<void> {
  await eventually(async () => {
    const [count] = await target.ask('SELECT count() FROM stored_merged');
    return Number(count) >= rows;
  });
}

beforeEach(async () => {
  const name = `sink_${String(process.pid)}_${String(suite++)}_${String(Date.now())}`;
  address = { ...engine, database: name };
  sent = 0;
  await migrate(address);
  target = openTarget(address, { replicated: false });
  log = await openLog({ brokers, clientId: 'sink-test', prefix: `${name}.` });
  await log.admin.createTopics(PARTITIONS);
});
afterEach(async () => {
  await target.command(`DROP DATABASE ${address.database} SYNC`);
  await target.close();
  await log.close();
});

test('rows arrive, and a clean stop and start goes on where it was', async () => {
  const first = startSink();
  await send(3_000);
  await untilRows(3_000);
  expect(await first.stop()).toBe('stopped');
  await send(2_000);
  const second = startSink();
  await untilRows(5_000);
  expect(second.sink.gauges.rowsMended).toBe(0);
  await second.stop();
  expect(await compareWithTopics({ log, codecs, target })).toEqual({ rows: 5_000, ...EXACT });
});

test('an insert that is still on its way when another owner takes over comes to nothing', async () => {
  const proxy = await startFreezingProxy(new URL(engine.url));
  const old = startSink({ ...address, url: proxy.url });
  await eventually(() => old.sink.isRunning);
  proxy.freezeAfter(40_000);
  await send(2_000);
  await proxy.frozen;
  const successor = startSink();
  await send(1_000);
  await untilRows(3_000);
  proxy.thaw();
  expect(await old.ended).toBe('producer_dead');
  await sleep(500);
  await successor.stop();
  proxy.close();
  expect(await compareWithTopics({ log, codecs, target })).toEqual({ rows: 3_000, ...EXACT });
});

test('a token that is noted while its rows are gone does not lose them', async () => {
  const proxy = await startFreezingProxy(new URL(engine.url));
  const first = startSink({ ...address, url: proxy.url });
  await eventually(() => first.sink.isRunning);
  await send(500);
  await untilRows(500);
  // As after a kill that kept the note and lost the part: rows of the last batch vanish behind the sink's back,
  // and the answer of the insert never comes, so the next owner has to look.
  await first.abort();
  proxy.close();
  const producer = await log.transactionalProducer({ transactionalId: 'clickhouse-1-0', timeoutMs: 10_000 });
  await producer.init();
  const ends = await log.admin.endOffsets('eventsMerged');
  const intent = (to: number) => JSON.stringify({ batch: 'the-last', to });
  await producer.sendOffsets(
    'clickhouse',
    ends.map((to, partition) => ({ topic: 'eventsMerged', partition, offset: 0, metadata: intent(to) })),
  );
  await producer.commit();
  await producer.close();
  await target.command('TRUNCATE TABLE stored_merged');
  const second = startSink();
  await untilRows(500);
  await second.stop();
  await target.command('ALTER TABLE stored_merged DELETE WHERE _offset % 3 = 0 SETTINGS mutations_sync = 1');
  const again = await log.transactionalProducer({ transactionalId: 'clickhouse-1-0', timeoutMs: 10_000 });
  await again.init();
  await again.sendOffsets(
    'clickhouse',
    ends.map((to, partition) => ({ topic: 'eventsMerged', partition, offset: 0, metadata: intent(to) })),
  );
  await again.commit();
  await again.close();
  const third = startSink();
  await untilRows(500);
  expect(third.sink.gauges.rowsMended).toBeGreaterThan(0);
  await third.stop();
  expect(await compareWithTopics({ log, codecs, target })).toEqual({ rows: 500, ...EXACT });
});

test('two sinks that take the task from each other write each row once', async () => {
  const load = await startLoad({ log, codecs, eventsPerSecond: 1_000, seed: 1 });
  const outcomes: string[] = [];
  let current = startSink();
  for (let turn = 0; turn < 6; turn++) {
    // Were it not at work yet, it would take the task from its successor.
    const { sink } = current;
    await eventually(() => Object.values(sink.written).some((ends) => ends.some((end) => end > 0)));
    await sleep(turn * 100);
    const next = startSink();
    outcomes.push(await current.ended);
    current = next;
  }
  await load.stop();
  const ends = await log.admin.endOffsets('eventsMerged');
  await eventually(() =>
    ends.every((end, partition) => (current.sink.written['eventsMerged']?.[partition] ?? 0) >= end),
  );
  await current.stop();
  expect(outcomes).toEqual(outcomes.map(() => 'producer_dead'));
  expect(await compareWithTopics({ log, codecs, target })).toMatchObject(EXACT);
}, 180_000);

test('offsets that expired are found again in ClickHouse, and holes below them are filled', async () => {
  const first = startSink();
  await send(1_000);
  await untilRows(1_000);
  await first.stop();
  await target.command('ALTER TABLE stored_merged DELETE WHERE _offset % 10 = 3 SETTINGS mutations_sync = 1');
  await send(200);
  const second = startSink(address, 'another-group');
  await untilRows(1_200);
  await second.stop();
  expect(await compareWithTopics({ log, codecs, target })).toEqual({ rows: 1_200, ...EXACT });
});

test('a record that nobody can read lies in dead.letters and dropped, and holds nothing up', async () => {
  const sink = startSink();
  const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 10 });
  const broken = Buffer.concat([
    codecs.MergedEvent.encode(sampleMerged(1, 1)).subarray(0, 5),
    Buffer.from([9, 9, 9]),
  ]);
  await producer.send('eventsMerged', Buffer.from('shop:x'), broken, 1);
  await producer.close();
  await send(10);
  for (;;) {
    const rows = await target.ask(
      "SELECT concat(workspace, ' ', JSONExtractString(detail, 'topic')) FROM dropped WHERE reason = 'undecodable'",
    );
    if (rows.length > 0) {
      expect(rows).toEqual(['shop events.merged']);
      break;
    }
    await sleep(50);
  }
  await untilRows(10);
  await sink.stop();
  expect((await log.admin.endOffsets('deadLetters')).some((end) => end > 0)).toBe(true);
});
