/** Every record is a row, once, when another sink takes over in the middle of an insert or of what is noted about it. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../testing/eventually.ts';
import { compareWithTopics } from '../testing/sink/compare-with-topics.ts';
import { startFreezingProxy } from '../testing/sink/freezing-proxy.ts';
import { startLoad } from '../testing/sink/sample-load.ts';
import { SinkWorld } from '../testing/sink/sink-world.ts';

const EXACT = { lost: 0, doubled: 0, wrong: 0 };

let world: SinkWorld;
beforeEach(async () => {
  world = await SinkWorld.open();
});
afterEach(() => world.close());

test('an insert that is still on its way when another owner takes over comes to nothing', async () => {
  const proxy = await startFreezingProxy(new URL(world.address.url));
  const old = world.start({ ...world.address, url: proxy.url });
  await eventually(() => old.sink.isRunning);
  proxy.freezeAfter(40_000);
  await world.send(2_000);
  await proxy.frozen;
  const successor = world.start();
  await world.send(1_000);
  await world.untilRows(3_000);
  proxy.thaw();
  expect(await old.ended).toBe('producer_dead');
  await sleep(500);
  await successor.stop();
  proxy.close();
  expect(await compareWithTopics(world)).toEqual({ rows: 3_000, ...EXACT });
});

test('a token that is noted while its rows are gone does not lose them', async () => {
  const proxy = await startFreezingProxy(new URL(world.address.url));
  const first = world.start({ ...world.address, url: proxy.url });
  await eventually(() => first.sink.isRunning);
  await world.send(500);
  await world.untilRows(500);
  // As after a kill that kept the note and lost the part: rows of the last batch vanish behind the sink's back,
  // and the answer of the insert never comes, so the next owner has to look.
  await first.abort();
  proxy.close();
  const producer = await world.log.transactionalProducer({
    transactionalId: 'clickhouse-1-0',
    timeoutMs: 10_000,
  });
  await producer.init();
  const ends = await world.log.admin.endOffsets('eventsMerged');
  const intent = (to: number) => JSON.stringify({ batch: 'the-last', to });
  await producer.sendOffsets(
    'clickhouse',
    ends.map((to, partition) => ({ topic: 'eventsMerged', partition, offset: 0, metadata: intent(to) })),
  );
  await producer.commit();
  await producer.close();
  await world.target.command('TRUNCATE TABLE stored_merged');
  const second = world.start();
  await world.untilRows(500);
  await second.stop();
  await world.target.command(
    'ALTER TABLE stored_merged DELETE WHERE _offset % 3 = 0 SETTINGS mutations_sync = 1',
  );
  const again = await world.log.transactionalProducer({
    transactionalId: 'clickhouse-1-0',
    timeoutMs: 10_000,
  });
  await again.init();
  await again.sendOffsets(
    'clickhouse',
    ends.map((to, partition) => ({ topic: 'eventsMerged', partition, offset: 0, metadata: intent(to) })),
  );
  await again.commit();
  await again.close();
  const third = world.start();
  await world.untilRows(500);
  expect(third.sink.gauges.rowsMended).toBeGreaterThan(0);
  await third.stop();
  expect(await compareWithTopics(world)).toEqual({ rows: 500, ...EXACT });
});

test('two sinks that take the task from each other write each row once', async () => {
  const load = await startLoad({ log: world.log, codecs: world.codecs, eventsPerSecond: 1_000, seed: 1 });
  const outcomes: string[] = [];
  let current = world.start();
  for (let turn = 0; turn < 6; turn++) {
    // Were it not at work yet, it would take the task from its successor.
    const { sink } = current;
    await eventually(() => Object.values(sink.written).some((ends) => ends.some((end) => end > 0)));
    await sleep(turn * 100);
    const next = world.start();
    outcomes.push(await current.ended);
    current = next;
  }
  await load.stop();
  const ends = await world.log.admin.endOffsets('eventsMerged');
  await eventually(() =>
    ends.every((end, partition) => (current.sink.written['eventsMerged']?.[partition] ?? 0) >= end),
  );
  await current.stop();
  expect(outcomes).toEqual(outcomes.map(() => 'producer_dead'));
  expect(await compareWithTopics(world)).toMatchObject(EXACT);
}, 180_000);
