/**
 * The sink and the views over two shards: real ClickHouse servers, Distributed tables between them. Python starts the
 * servers (server.py); without it there is nothing to test.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from './schema/migrate.ts';
import { localCodecs } from '../../schemas/codec.ts';
import { openLog } from '../runtime/log/open-log.ts';
import type { Log } from '../runtime/log/ports.ts';
import { eventually } from '../testing/eventually.ts';
import { silentLogger } from '../runtime/logger.ts';
import { erasePeople, expireDays } from './chores.ts';
import { compareWithTopics } from '../testing/sink/compare-with-topics.ts';
import { startLoad } from '../testing/sink/sample-load.ts';
import { Sink } from './sink.ts';
import { sinkTopics } from './tables.ts';
import { openTarget, type ClickHouseAddress, type Target } from './target.ts';
import { startTestCluster, type TestCluster } from '../testing/sink/cluster.ts';
import { tellStory } from '../testing/sink/story.ts';

const env = process.env;
const hasPython = spawnSync('python3', ['--version']).status === 0;
const describeOnServers = hasPython ? describe : describe.skip;
const SHARDS = 2;
const PARTITIONS = 5;
const EXACT = { lost: 0, doubled: 0, wrong: 0 };
const codecs = localCodecs();

/** A place for the tables: the embedded engine, or shards. */
interface Place {
  readonly address: ClickHouseAddress;
  readonly shardUrls?: readonly string[];
}
const open = ({ address, ...layout }: Place): Target => openTarget(address, { replicated: false, ...layout });

function startSink(log: Log, place: Place, group: string) {
  const [stop, abort] = [new AbortController(), new AbortController()];
  const target = open(place);
  const sink = new Sink({
    log,
    codecs,
    learn: () => Promise.reject(new Error('there is one version of each schema')),
    target,
    logger: silentLogger,
    task: 0,
    tasks: 1,
    group,
    stopSignal: stop.signal,
    abortSignal: abort.signal,
  });
  const ended = sink.run().then(
    () => 'stopped',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'aborted'),
  );
  return {
    sink,
    stop: async () => {
      stop.abort();
      await ended;
      await target.close();
    },
    /** As a kill -9 does, it leaves what is under way as it is. */
    abort: async () => {
      abort.abort();
      stop.abort();
      await ended;
      await target.close();
    },
  };
}

async function untilWritten(log: Log, sink: Sink): Promise<void> {
  for (const topic of sinkTopics) {
    const ends = await log.admin.endOffsets(topic);
    while (ends.some((end, partition) => (sink.written[topic]?.[partition] ?? 0) < end)) await sleep(20);
  }
}

async function newLog(name: string): Promise<Log> {
  const prefix = `${name}-${String(process.pid)}-${String(Date.now())}.`;
  const brokers = (env['TEST_KAFKA_BROKERS'] ?? '').split(',');
  const log = await openLog({ brokers, clientId: name, prefix });
  await log.admin.createTopics(PARTITIONS);
  return log;
}

describeOnServers('two shards', () => {
  let cluster: TestCluster;
  let shardUrls: readonly string[];
  const shardedPlace = (database: string): Place => ({
    address: { url: shardUrls[0] ?? '', username: 'default', password: '', database },
    shardUrls,
  });
  const migrated = async (database: string): Promise<Place> => {
    const place = shardedPlace(database);
    const layout = { type: 'sharded', cluster: cluster.name, replicated: false } as const;
    await migrate({ ...place.address, layout, shardUrls });
    return place;
  };
  const shard = (index: number) => {
    const one = cluster.shards[index];
    if (one === undefined) throw new Error('there is no such shard');
    return one;
  };

  beforeAll(async () => {
    cluster = await startTestCluster(SHARDS);
    shardUrls = cluster.shards.map(({ url }) => url);
  });
  afterAll(async () => {
    await cluster.stop();
  });

  test('a shard that is sent what is no request goes on', async () => {
    const { url } = shard(0);
    const { hostname, port } = new URL(url);
    for (const bytes of [
      'garbage\r\n\r\n',
      '\0\xff\xff\xff',
      'POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n',
    ]) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(bytes, 'latin1');
      await sleep(200);
      socket.destroy();
    }
    await sleep(200); // a server that ends says so to whoever asks in the meantime
    const answer = await fetch(`${url}/?query=SELECT%201`);
    expect([answer.status, await answer.text()]).toEqual([200, '1\n']);
  });

  test('a shard that is killed in the middle, and a sink that is, lose and double nothing', async () => {
    const place = await migrated('killed');
    const log = await newLog('sharded');
    const load = await startLoad({ log, codecs, eventsPerSecond: 500, seed: 1 });
    let sink = startSink(log, place, 'sharded');
    for (let kill = 0; kill < 8; kill++) {
      await sleep(200 + kill * 70);
      if (kill % 2 === 0) {
        await shard((kill / 2) % SHARDS).kill();
        await sleep(100);
        await shard((kill / 2) % SHARDS).start();
      } else {
        await sink.abort();
        sink = startSink(log, place, 'sharded');
      }
    }
    await eventually(() => load.sent() > 1_000);
    await load.stop();
    await untilWritten(log, sink.sink);
    await sink.stop();
    const target = open(place);
    const comparison = await compareWithTopics({ log, codecs, target });
    expect(comparison).toMatchObject(EXACT);
    expect(comparison.rows).toBeGreaterThan(1_000);
    await target.close();

    for (let index = 0; index < SHARDS; index++) {
      const own = openTarget({ ...place.address, url: shard(index).url }, { replicated: false });
      const partitions = await own.ask(
        'SELECT DISTINCT _partition FROM stored_merged_shard ORDER BY _partition',
      );
      expect(partitions).toEqual(['0', '1', '2', '3', '4'].filter((each) => Number(each) % SHARDS === index));
      await own.close();
    }
    await log.close();
  }, 300_000);

  test('every view, and every question of the cookbook, says what it says on one server, before and after people are erased', async () => {
    const database = `story_${String(process.pid)}_${String(Date.now())}`;
    const single: Place = {
      address: {
        url: env['TEST_CLICKHOUSE_URL'] ?? '',
        username: env['TEST_CLICKHOUSE_USER'] ?? '',
        password: env['TEST_CLICKHOUSE_PASSWORD'] ?? '',
        database,
      },
    };
    const sharded = await migrated(database);
    await migrate(single.address);
    const log = await newLog('story');
    await tellStory({ log, codecs, seed: 7, events: 1_500 });
    for (const place of [single, sharded]) {
      const writer = startSink(log, place, place === single ? 'single' : 'sharded');
      await untilWritten(log, writer.sink);
      await writer.stop();
    }
    const [one, two] = [open(single), open(sharded)];
    await compareViews(one, two);
    await compareCookbook(one, two);
    for (const target of [one, two]) {
      await expireDays(target, silentLogger);
      expect(await erasePeople(target, silentLogger)).toBeGreaterThan(100);
      expect(await erasePeople(target, silentLogger)).toBe(0);
    }
    await compareViews(one, two);
    for (const table of ['stored_merged', 'stored_collected', 'stored_people', 'stored_today']) {
      const count = `SELECT count() FROM ${table} FINAL`.replace(/(merged|collected) FINAL/, '$1');
      expect({ table, rows: await two.ask(count) }).toEqual({ table, rows: await one.ask(count) });
    }
    await one.command(`DROP DATABASE ${database} SYNC`);
    await Promise.all([one.close(), two.close(), log.close()]);
  }, 300_000);

  test('other shards than those that the database was made with are refused', async () => {
    const place = await migrated('other');
    const log = await newLog('other');
    await tellStory({ log, codecs, seed: 3, events: 50 });
    const sink = startSink(log, place, 'other');
    await untilWritten(log, sink.sink);
    await sink.stop();
    for (const others of [[...shardUrls].reverse(), shardUrls.slice(0, 1)]) {
      const other = open({ ...place, shardUrls: others });
      await expect(other.check()).rejects.toMatchObject({ code: 'shards_changed' });
      await other.close();
    }
    await log.close();
  });
});

const VIEWS =
  'events anonymous_events people identities segment_memberships segment_changes journey_entries journey_skips activities dropped'.split(
    ' ',
  );

async function compareViews(one: Target, two: Target): Promise<void> {
  for (const view of VIEWS) {
    const question = `SELECT * FROM ${view} ORDER BY ALL`;
    const [expected, found] = [await one.ask(question), await two.ask(question)];
    expect(expected.length).toBeGreaterThan(0);
    expect({ view, rows: found }).toEqual({ view, rows: expected });
  }
  const [person] = await one.ask(
    'SELECT person_id FROM events GROUP BY person_id ORDER BY count() DESC LIMIT 1',
  );
  const question = `SELECT * FROM person_events(person = '${person ?? ''}') ORDER BY ALL`;
  const expected = await one.ask(question);
  expect(expected.length).toBeGreaterThan(0);
  expect(await two.ask(question)).toEqual(expected);
}

/** Questions of the cookbook join and nest several of the views. */
async function compareCookbook(one: Target, two: Target): Promise<void> {
  const text = readFileSync(new URL('../../docs/cookbook.md', import.meta.url), 'utf8');
  const questions = [...text.matchAll(/^## (\d+\..*?)$.*?```sql\n(.*?)```/gms)];
  expect(questions.length).toBeGreaterThanOrEqual(12);
  for (const [, title, sql = ''] of questions) {
    const question = sql
      .replaceAll('{workspace:String}', "'sample'")
      .replaceAll(/\bany\(/g, 'min(') // any example would do for the reader, and not for a comparison
      .replaceAll('now64(3)', "toDateTime64(toStartOfDay(now()), 3, 'UTC')");
    const [expected, found] = [await one.ask(question), await two.ask(question)];
    expect({ title, rows: found.toSorted() }).toEqual({ title, rows: expected.toSorted() });
  }
}
