/** Through the shell: a call that identity fails at stops nobody, and whoever waits for it is told. */
import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { identityRequest } from '../../schemas/identity-request.ts';
import type { IdentityRequest } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { MemoryBroker } from '../testing/memory/memory-broker.ts';
import { MemoryDisk } from '../testing/memory/memory-stores.ts';
import { TaskProcess } from '../testing/toy/task-process.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { identityService } from './service.ts';

const AT = Date.UTC(2026, 0, 5);

class Installation {
  readonly time = new VirtualTime();
  readonly broker = new MemoryBroker(this.time, 1);
  readonly codecs = localCodecs();
  readonly disk = new MemoryDisk();
  #number = 0;

  start(spec: ServiceSpec = identityService, disk = this.disk): Promise<TaskProcess> {
    const { broker, codecs } = this;
    return new TaskProcess({ broker, codecs, spec, disk }).start();
  }

  send(request: Partial<IdentityRequest> & Pick<IdentityRequest, 'kind'>): void {
    const value = this.codecs.IdentityRequest.encode(
      identityRequest({ workspace: 'shop', received_at: AT, ...request }),
    );
    this.sendBytes(value);
  }

  sendBytes(value: Buffer): void {
    this.broker.append([{ topic: 'identityRequests', partition: 0, key: Buffer.from('shop'), value }]);
  }

  claim(anonymousId: string, id: string): void {
    this.#number += 1;
    this.send({
      kind: 'claim',
      lane: `shop:a:${anonymousId}`,
      request_number: 1,
      source_partition: 0,
      source_offset: this.#number,
      anonymous_id: anonymousId,
      identifier_kind: 'id',
      identifier: id,
      id,
      message_id: `m${String(this.#number)}`,
    });
  }

  written<T>(topic: TopicId, decode: (value: Buffer) => T): T[] {
    return this.broker.committed(topic).map(({ record }) => decode(record.value ?? Buffer.alloc(0)));
  }
  letters() {
    return this.written('deadLetters', (value) => this.codecs.DeadLetter.decode(value));
  }
  rows() {
    return this.written('eventsDropped', (value) => this.codecs.DroppedEvent.decode(value));
  }
  decisions() {
    return this.written('identityDecisions', (value) => this.codecs.IdentityDecision.decode(value));
  }
}

async function survives(shop: Installation, spec: ServiceSpec = identityService): Promise<void> {
  const again = await shop.start(spec, new MemoryDisk());
  expect(await shop.time.until(() => again.state === 'live', 60_000)).toBe(true);
  expect(again.failure).toBe('');
}

test('a record that cannot be read is a dead letter with a row, and moves the gauge', async () => {
  const shop = new Installation();
  const process = await shop.start();
  shop.sendBytes(Buffer.from([0, 0, 0, 0, shop.codecs.IdentityRequest.schemaId, 255, 255]));
  shop.claim('a', '1');
  await shop.time.run(3_000);
  expect(shop.letters()).toMatchObject([{ service: 'identity', code: 'undecodable', step: 'decode' }]);
  expect(shop.rows()).toMatchObject([{ reason: 'undecodable', stage: 'identity', workspace: 'shop' }]);
  expect(process.service.status().gauges).toMatchObject({ dead_letters: 1 });
  expect(shop.decisions()).toMatchObject([{ kind: 'granted' }]);
});

test('security 4: a split too large for its activity is put aside itself, not what released it', async () => {
  const shop = new Installation();
  const process = await shop.start();
  shop.claim('a', '1');
  const why = '\u0001'.repeat(174_715);
  const detail = JSON.stringify({ anonymous_ids: ['a'], identifiers: [], into: null, by: 'x', why });
  const split = { kind: 'split', identifier_kind: 'id', identifier: '1', detail } as const;
  shop.send({ ...split, request_number: 77, positions: [5], message_id: 'split' });
  shop.send({ kind: 'watermark', source_partition: 0, source_offset: 9 });
  await shop.time.run(3_000);
  shop.claim('b', '2');
  await shop.time.run(3_000);
  expect(process.state).toBe('live');
  expect(shop.letters()).toMatchObject([
    { code: 'record_too_large', step: 'handle', kept: 'held 1', topic: 'identity.requests' },
  ]);
  expect(shop.rows()).toMatchObject([{ reason: 'not_handled', workspace: 'shop', message_id: 'split' }]);
  const told = shop.decisions().map(({ kind, request_number: number }) => `${kind} ${String(number)}`);
  expect(told).toEqual(['granted 1', 'control_ended 77', 'granted 1']);
  process.kill();
  await survives(shop);
});

test('a lane whose request fails is answered all the same, and the next one is decided', async () => {
  const shop = new Installation();
  const failing: ServiceSpec = {
    ...identityService,
    open: (...parts) => {
      const processor = identityService.open(...parts);
      const onRecord = processor.onRecord.bind(processor);
      return Object.assign(processor, {
        onRecord: (...[record, batch, out]: Parameters<typeof onRecord>) => {
          onRecord(record, batch, out);
          const { identifier } = shop.codecs.IdentityRequest.decode(
            record.bytes,
            record.valueStart,
            record.valueEnd,
          );
          if (identifier === '2') throw new TypeError('a bug that this one meets');
        },
      });
    },
  };
  const process = await shop.start(failing);
  for (const each of ['1', '2', '3']) shop.claim(`a${each}`, each);
  await shop.time.run(5_000);
  expect(process.state).toBe('live');
  expect(shop.decisions().map(({ lane, kind, reason }) => [lane, kind, reason])).toEqual([
    ['shop:a:a1', 'granted', null],
    ['shop:a:a2', 'refused', 'not_handled'],
    ['shop:a:a3', 'granted', null],
  ]);
  expect(shop.letters()).toMatchObject([{ code: 'unexpected_error', kept: '' }]);
  process.kill();
  await survives(shop, failing);
});
