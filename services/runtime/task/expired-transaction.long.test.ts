/** The shell on a real broker that ends a transaction because it was open too long: nobody else is to blame. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../../testing/eventually.ts';
import { ToyBroker } from '../../testing/toy/toy-broker.ts';
import type { Log, TransactionalProducer } from '../log/ports.ts';

jest.setTimeout(300_000);

/** The broker allows a task's transaction ten seconds, and looks every ten for such as are over. */
const PAST_MS = 25_000;

let toy: ToyBroker;
beforeEach(async () => {
  toy = await ToyBroker.open('expired');
});
afterEach(async () => {
  await toy.close();
});

test('a task whose transaction was open too long starts again in its process, and nothing is lost or doubled', async () => {
  const ownLog = await toy.connect();
  let held = 0;
  const log: Log = {
    admin: ownLog.admin,
    reader: (options) => ownLog.reader(options),
    transactionalProducer: async (options) =>
      slowOnce(await ownLog.transactionalProducer(options), () => (held += 1) === 1),
    producer: (options) => ownLog.producer(options),
    newOutputBuffer: () => ownLog.newOutputBuffer(),
    close: () => ownLog.close(),
  };
  // A static assignment ends this process when a task is fenced: the test would not come to its end.
  const service = toy.inProcess({ log });
  await service.start();
  await toy.send(5);
  await eventually(() => held > 1);
  await toy.send(5);
  await toy.expectCounted();
  expect(service.status().tasks.map(({ state }) => state)).toEqual(['live']);
  await service.stop();
  await ownLog.close();
});

/** Its commit comes after the transaction's time. */
function slowOnce(real: TransactionalProducer, isSlow: () => boolean): TransactionalProducer {
  return {
    init: () => real.init(),
    send: (outputs) => real.send(outputs),
    sendOffsets: (group, offsets) => real.sendOffsets(group, offsets),
    commit: async () => {
      if (isSlow()) await sleep(PAST_MS);
      await real.commit();
    },
    abort: () => real.abort(),
    close: () => real.close(),
  };
}
