import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import { silentLogger } from '../runtime/logger.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryLog } from '../testing/memory/memory-log.ts';
import { EngineModel } from '../testing/simulator/engine-model.ts';
import { Random } from '../testing/random.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { findStart } from './start.ts';

test('what a newer sink writes while an older one starts is not taken for rows of another log', async () => {
  const time = new VirtualTime();
  const broker = new MemoryBroker(time, 1);
  const codecs = localCodecs();
  const log = new MemoryLog(broker);
  const engine = new EngineModel({ time, random: new Random(1), isCalm: () => true });
  const real = engine.connect(log);
  const row = codecs.DroppedEvent.encode(
    droppedEvent({ workspace: 'shop', reason: 'lane_full', stage: 'merger', at: 0 }),
  );
  const target: typeof real = {
    ...real,
    // It has taken over, read the first record that ever came, and inserted it.
    greatest: (table) => {
      if (table !== 'stored_dropped') return Promise.resolve(new Map());
      broker.append([{ topic: 'eventsDropped', partition: 0, key: null, value: row }]);
      return Promise.resolve(new Map([[0, 0]]));
    },
    present: () => Promise.resolve(new Map([[0, new Set([0])]])),
  };
  const starting = findStart({
    log,
    codecs,
    target,
    group: 'clickhouse',
    isMine: () => true,
    learn: () => Promise.resolve(),
    logger: silentLogger,
    signal: new AbortController().signal,
    gauges: { inserts: 0, insertErrors: 0, rowsMended: 0, failingSince: undefined },
    time,
  });
  let done = false;
  const ended = starting.finally(() => {
    done = true;
  });
  ended.catch(() => undefined); // told below
  await time.until(() => done, 10_000);
  const { positions } = await ended;
  expect(positions).toContainEqual({ topic: 'eventsDropped', partition: 0, offset: 1 });
});
