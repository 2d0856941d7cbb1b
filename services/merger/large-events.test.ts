/** Through the shell: what is too large to be passed on is put aside as it comes, and its lane goes on. */
import { expect, test } from '@jest/globals';
import { eventRecordBytesMax } from '../../schemas/http/limits.ts';
import { localCodecs } from '../../schemas/codec.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryDisk } from '../testing/memory/memory-stores.ts';
import { TaskProcess } from '../testing/toy/task-process.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { lanesService } from './service.ts';

test('an event that a lane could not release is a dead letter with a row, also in a replay', async () => {
  const time = new VirtualTime();
  const broker = new MemoryBroker(time, 1);
  const codecs = localCodecs();
  const send = (messageId: string, bytes: number): void => {
    const fields = { message_id: messageId, anonymous_id: 'a', received_at: time.now(), workspace: 'shop' };
    const value = codecs.CollectedEvent.encode(collectedEvent({ ...fields, properties: 'x'.repeat(bytes) }));
    broker.append([{ topic: 'eventsCollected', partition: 0, key: Buffer.from('shop:a:a'), value }]);
  };
  const parts = { broker, codecs, spec: lanesService };
  const first = await new TaskProcess({ ...parts, disk: new MemoryDisk() }).start();
  send('small', 10);
  send('large', eventRecordBytesMax);
  send('after', eventRecordBytesMax - 1_000);
  await time.run(5_000);
  expect(first.state).toBe('live');
  expect(first.service.status().gauges).toMatchObject({ dead_letters: 1 });
  const letters = broker
    .committed('deadLetters')
    .map(({ record }) => codecs.DeadLetter.decode(record.value ?? Buffer.alloc(0)));
  expect(letters).toMatchObject([{ code: 'record_too_large', step: 'admit', offset: 1 }]);
  const rows = broker
    .committed('eventsDropped')
    .map(({ record }) => codecs.DroppedEvent.decode(record.value ?? Buffer.alloc(0)));
  expect(rows).toMatchObject([
    { reason: 'not_handled', message_id: 'large', workspace: 'shop', anonymous_id: 'a' },
  ]);
  first.kill();
  const second = await new TaskProcess({ ...parts, disk: new MemoryDisk() }).start();
  expect(await time.until(() => second.state === 'live', 60_000)).toBe(true);
  expect(second.failure).toBe('');
});
