/**
 * Through the shell: an event that lanes fail at stops nobody, also when it fails long after it was read, as it is
 * released or as it takes its turn; and an answer that fails leaves no lane waiting.
 */
import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { identityDecision } from '../../schemas/identity-decision.ts';
import type { IdentityDecision } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { assert } from '../runtime/errors.ts';
import type { Emitter, Processor, ServiceSpec } from '../runtime/task/ports.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryDisk } from '../testing/memory/memory-stores.ts';
import { TaskProcess } from '../testing/toy/task-process.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { costlyLetters } from '../runtime/task/share/letter-pace.ts';
import { lanesService } from './service.ts';

const AT = Date.UTC(2026, 0, 5);
const MINUTE_MS = 60_000;
const codecs = localCodecs();

/** Lanes that fail when they are to write this message to events.merged. */
function failingAt(poison: string): ServiceSpec {
  const guarded = (out: Emitter): Emitter => ({
    emit: (topic, key, value) => {
      const isPoison = topic === 'eventsMerged' && Buffer.from(value).includes(poison);
      assert(!isPoison, 'this cannot be');
      out.emit(topic, key, value);
    },
    emitTo: (topic, partition, key, value) => {
      out.emitTo(topic, partition, key, value);
    },
  });
  return {
    ...lanesService,
    open: (...parts) => {
      const processor = lanesService.open(...parts);
      const onRecord: Processor['onRecord'] = processor.onRecord.bind(processor);
      const onBatchEnd: Processor['onBatchEnd'] = processor.onBatchEnd.bind(processor);
      return Object.assign(processor, {
        onRecord: (...[record, batch, out]: Parameters<typeof onRecord>) => {
          onRecord(record, batch, guarded(out));
        },
        onBatchEnd: (...[batch, out]: Parameters<typeof onBatchEnd>) => {
          onBatchEnd(batch, guarded(out));
        },
      });
    },
  };
}

class Installation {
  readonly time = new VirtualTime();
  readonly broker = new MemoryBroker(this.time, 1);
  #number = 0;

  start(spec: ServiceSpec, disk = new MemoryDisk()): Promise<TaskProcess> {
    return new TaskProcess({ broker: this.broker, codecs, spec, disk }).start();
  }
  send(visitor: string, id: string, fields: Partial<ReturnType<typeof collectedEvent>> = {}): void {
    const event = { anonymous_id: visitor, message_id: id, received_at: AT, timestamp: AT + this.#number };
    this.#number += 1;
    const value = codecs.CollectedEvent.encode(collectedEvent({ workspace: 'shop', ...event, ...fields }));
    this.#append('eventsCollected', `${fields.workspace ?? 'shop'}:a:${visitor}`, value);
  }
  identify(visitor: string, id: string, fields: Partial<ReturnType<typeof collectedEvent>> = {}): void {
    const named = {
      identifier_kind: 'id',
      identifier: `${visitor}-person`,
      id: `${visitor}-person`,
    } as const;
    this.send(visitor, id, { type: 'identify', name: null, ...named, ...fields });
  }
  answer(visitor: string, number: number, kind: IdentityDecision['kind'], workspace = 'shop'): void {
    const decision = identityDecision({
      kind,
      workspace,
      lane: `${workspace}:a:${visitor}`,
      request_number: number,
      person_id: `cio_${visitor}`,
      claimed_at: kind === 'granted' ? AT : null,
      identifier_kind: 'id',
      identifier: `${visitor}-person`,
      fact_number: 1,
    });
    const value = codecs.IdentityDecision.encode(decision);
    this.#append('identityDecisions', `${workspace}:a:${visitor}`, value);
  }
  #append(topic: TopicId, key: string, value: Buffer): void {
    this.broker.append([{ topic, partition: 0, key: Buffer.from(key), value }]);
  }
  merged(): (string | undefined)[] {
    return this.#written('eventsMerged', (value) => codecs.MergedEvent.decode(value))
      .filter(({ kind }) => kind === 'event')
      .map(({ event }) => event?.message_id);
  }
  letters() {
    return this.#written('deadLetters', (value) => codecs.DeadLetter.decode(value));
  }
  dropped(): (string | null)[] {
    return this.#written('eventsDropped', (value) => codecs.DroppedEvent.decode(value)).map(
      ({ message_id: id, reason }) => `${id ?? ''}: ${reason}`,
    );
  }
  #written<T>(topic: TopicId, decode: (value: Buffer) => T): T[] {
    return this.broker.committed(topic).map(({ record }) => decode(record.value ?? Buffer.alloc(0)));
  }
}

async function play(shop: Installation, process: TaskProcess): Promise<void> {
  await shop.time.run(5_000);
  expect(process.failure).toBe('');
  shop.identify('other', 'o-claim');
  await shop.time.run(1_000);
  shop.answer('other', 1, 'granted');
  const done = await shop.time.until(() => shop.merged().includes('o-claim'), MINUTE_MS);
  expect([process.failure, done]).toEqual(['', true]);
  expect(process.service.status().unsettled).toBe(0);
}

test('of what waited, the event that fails as it is released is put aside; those around it go out', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  for (const id of ['one', 'poison', 'two']) shop.send('v', id);
  shop.identify('v', 'claim');
  await shop.time.run(1_000);
  shop.answer('v', 1, 'granted');
  await play(shop, process);
  expect(shop.merged()).toEqual(['one', 'two', 'claim', 'o-claim']);
  expect(shop.dropped()).toEqual(['poison: not_handled']);
  expect(shop.letters()).toMatchObject([{ code: 'assertion_failed', step: 'handle' }]);
  expect(codecs.CollectedEvent.decode(shop.letters()[0]?.value ?? Buffer.alloc(0)).message_id).toBe('poison');
});

test('an event that queues and fails in its turn is put aside; those behind it have theirs', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  shop.identify('v', 'claim');
  for (const id of ['poison', 'two']) shop.send('v', id);
  await shop.time.run(1_000);
  shop.answer('v', 1, 'granted');
  await play(shop, process);
  expect(shop.merged()).toEqual(['claim', 'two', 'o-claim']);
  expect(shop.dropped()).toEqual(['poison: not_handled']);
});

test('an identify that fails once all that waited has gone out is put aside, and its lane goes on', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  shop.send('v', 'one');
  shop.identify('v', 'poison');
  shop.send('v', 'two');
  await shop.time.run(1_000);
  shop.answer('v', 1, 'granted');
  await play(shop, process);
  expect(shop.merged()).toEqual(['one', 'two', 'o-claim']);
  expect(shop.dropped()).toEqual(['poison: not_handled']);
});

test('an answer that fails leaves no lane waiting: the event that asked is dropped, what follows goes on', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  shop.identify('v', 'poison');
  shop.identify('v', 'again');
  await shop.time.run(1_000);
  shop.answer('v', 1, 'resolved');
  await shop.time.run(1_000);
  shop.answer('v', 2, 'resolved');
  await play(shop, process);
  expect(shop.merged()).toEqual(['again', 'o-claim']);
  expect(shop.dropped().sort()).toEqual([': not_handled', 'poison: not_handled']);
  expect(shop.letters()).toMatchObject([{ topic: 'identity.decisions', step: 'handle' }]);
});

test('a replay puts the same aside', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  for (const id of ['one', 'poison', 'two']) shop.send('v', id);
  shop.identify('v', 'claim');
  await shop.time.run(1_000);
  shop.answer('v', 1, 'granted');
  await play(shop, process);
  process.kill();
  const again = await shop.start(lanesService);
  await shop.time.run(MINUTE_MS);
  expect([again.failure, again.state]).toEqual(['', 'live']);
  expect(shop.merged()).toEqual(['one', 'two', 'claim', 'o-claim']);
});

test('a replay from the middle of a queue, which it writes anew, puts the same aside', async () => {
  const shop = new Installation();
  const disk = new MemoryDisk();
  const process = await shop.start(failingAt('poison'), disk);
  shop.identify('v', 'claim');
  for (const id of ['one', 'two']) shop.send('v', id);
  shop.identify('v', 'claim again', { id: 'another', identifier: 'another' });
  shop.send('v', 'poison');
  await shop.time.run(1_000);
  shop.answer('v', 1, 'granted');
  await shop.time.run(MINUTE_MS); // the disk has the queue, most of which is done
  shop.answer('v', 2, 'resolved');
  expect(await shop.time.until(() => shop.letters().length === 1, MINUTE_MS)).toBe(true);
  process.kill();
  const again = await shop.start(lanesService, disk);
  await shop.time.until(() => again.state === 'live' || again.failure !== '', MINUTE_MS);
  expect([again.failure, again.state]).toEqual(['', 'live']);
  expect(shop.merged()).toEqual(['claim', 'one', 'two', 'claim again']);
});

test('a lane whose events fail too often rests with its workspace: they are not tried one by one, and others go on', async () => {
  const shop = new Installation();
  const process = await shop.start(failingAt('poison'));
  const poisoned = 35;
  for (let each = 0; each < poisoned; each += 1) shop.send('bad', `poison-${String(each)}`);
  shop.send('bad', 'good');
  shop.identify('bad', 'claim');
  shop.send('fine', 'fine-past', { workspace: 'quiet' });
  shop.identify('fine', 'fine-claim', { workspace: 'quiet' });
  await shop.time.run(2_000);
  shop.answer('bad', 1, 'granted');
  await shop.time.run(10_000);
  const { perMinuteMax } = costlyLetters;
  expect(shop.letters()).toHaveLength(perMinuteMax);
  expect(shop.merged()).toEqual([]);
  const idle = process.service.status().gauges.batches ?? 0;
  shop.answer('fine', 1, 'granted', 'quiet');
  await shop.time.run(1_000);
  expect(shop.merged()).toEqual(['fine-past', 'fine-claim']);
  await shop.time.run(20_000);
  expect(shop.letters()).toHaveLength(perMinuteMax);
  expect((process.service.status().gauges.batches ?? 0) - idle).toBeLessThan(40);
  await shop.time.until(() => shop.merged().includes('claim'), 10 * MINUTE_MS);
  expect(shop.merged()).toEqual(['fine-past', 'fine-claim', 'good', 'claim']);
  expect(shop.letters()).toHaveLength(poisoned);
  expect([process.failure, process.service.status().unsettled]).toEqual(['', 0]);
});
