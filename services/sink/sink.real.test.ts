/** The sink's promise on real parts: every record is a row, once, whatever stops it, and whatever cannot be read. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareWithTopics } from '../testing/sink/compare-with-topics.ts';
import { sampleMerged } from '../testing/sink/sample-load.ts';
import { SinkWorld } from '../testing/sink/sink-world.ts';

const EXACT = { lost: 0, doubled: 0, wrong: 0 };

let world: SinkWorld;
beforeEach(async () => {
  world = await SinkWorld.open();
});
afterEach(() => world.close());

test('rows arrive, and a clean stop and start goes on where it was', async () => {
  const first = world.start();
  await world.send(3_000);
  await world.untilRows(3_000);
  expect(await first.stop()).toBe('stopped');
  await world.send(2_000);
  const second = world.start();
  await world.untilRows(5_000);
  expect(second.sink.gauges.rowsMended).toBe(0);
  await second.stop();
  expect(await compareWithTopics(world)).toEqual({ rows: 5_000, ...EXACT });
});

test('offsets that expired are found again in ClickHouse, and holes below them are filled', async () => {
  const first = world.start();
  await world.send(1_000);
  await world.untilRows(1_000);
  await first.stop();
  await world.target.command(
    'ALTER TABLE stored_merged DELETE WHERE _offset % 10 = 3 SETTINGS mutations_sync = 1',
  );
  await world.send(200);
  const second = world.start(world.address, 'another-group');
  await world.untilRows(1_200);
  await second.stop();
  expect(await compareWithTopics(world)).toEqual({ rows: 1_200, ...EXACT });
});

test('a record that nobody can read lies in dead.letters and dropped, and holds nothing up', async () => {
  const sink = world.start();
  const producer = await world.log.producer({ lingerMs: 2, pendingRecordsMax: 10 });
  const broken = Buffer.concat([
    world.codecs.MergedEvent.encode(sampleMerged(1, 1)).subarray(0, 5),
    Buffer.from([9, 9, 9]),
  ]);
  await producer.send('eventsMerged', Buffer.from('shop:x'), broken, 1);
  await producer.close();
  await world.send(10);
  for (;;) {
    const rows = await world.target.ask(
      "SELECT concat(workspace, ' ', JSONExtractString(detail, 'topic')) FROM dropped WHERE reason = 'undecodable'",
    );
    if (rows.length > 0) {
      expect(rows).toEqual(['shop events.merged']);
      break;
    }
    await sleep(50);
  }
  await world.untilRows(10);
  await sink.stop();
  expect((await world.log.admin.endOffsets('deadLetters')).some((end) => end > 0)).toBe(true);
});
