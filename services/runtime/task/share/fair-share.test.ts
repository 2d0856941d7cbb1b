/** One workspace's flood takes its share of a batch and no more, whatever is killed when; nothing of it is lost. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryDisk } from '../../../testing/memory/memory-stores.ts';
import { collectedEvent } from '../../../testing/collected-event.ts';
import { toyService } from '../../../testing/toy/toy-service.ts';
import { ToyWorld } from '../../../testing/toy/toy-world.ts';
import { assert } from '../../errors.ts';
import type { DeadLetter } from '../../../../schemas/records.ts';
import type { ServiceSpec } from '../ports.ts';
import type { Share } from './share.ts';

const MINUTE_MS = 60_000;
/** A record of the toy service and what comes of it are 25 units and its bytes: four or so in a batch. */
const small: Share = { unitsMax: 100, waitingRecordsMax: 1_000, waitingBytesMax: 1_000_000 };

function shared(share: Share, spec = toyService): ServiceSpec {
  return { ...spec, share };
}

/** Handles a record as the service does, and then fails at those that `fails` picks. */
function failing(spec: ServiceSpec, world: ToyWorld, fails: (messageId: string) => boolean): ServiceSpec {
  return {
    ...spec,
    open: (...parts) => {
      const processor = spec.open(...parts);
      const onRecord = processor.onRecord.bind(processor);
      return Object.assign(processor, {
        onRecord: (...[record, batch, out]: Parameters<typeof onRecord>) => {
          onRecord(record, batch, out);
          const { bytes, valueStart, valueEnd } = record;
          const event = world.codecs.CollectedEvent.decode(bytes, valueStart, valueEnd);
          assert(!fails(event.message_id), 'this cannot be');
        },
      });
    },
  };
}

class Flood {
  readonly world = new ToyWorld(1);
  readonly #sent: string[] = [];

  send(workspace: string, lane: number, count: number): void {
    for (let each = 0; each < count; each += 1) {
      const id = `${workspace}-${String(this.#sent.length)}`;
      this.#sent.push(`${workspace}:a:${String(lane)} ${id}`);
      const event = collectedEvent({ workspace, message_id: id, received_at: this.world.time.now() });
      this.world.sendValue(`${workspace}:a:${String(lane)}`, this.world.codecs.CollectedEvent.encode(event));
    }
  }
  /** In the order in which they were handled. */
  get handled(): string[] {
    return this.world.broker.committed('activitiesLogged').flatMap(({ record }) => {
      const line = this.world.codecs.Activity.decode(record.value ?? Buffer.alloc(0));
      return line.kind === 'counted' ? [`${line.anonymous_id ?? ''} ${line.message_id ?? ''}`] : [];
    });
  }
  get letters(): readonly DeadLetter[] {
    return this.world.broker
      .committed('deadLetters')
      .map(({ record }) => this.world.codecs.DeadLetter.decode(record.value ?? Buffer.alloc(0)));
  }
  of(lines: readonly string[], workspace: string): string[] {
    return lines.filter((line) => line.startsWith(`${workspace}:`));
  }
  async finish(): Promise<void> {
    const done = await this.world.time.until(() => this.handled.length >= this.#sent.length, 10 * MINUTE_MS);
    assert(done, `all ${String(this.#sent.length)} are handled, not ${String(this.handled.length)}`);
  }
  /** Each once, and in the order of its workspace. */
  check(): void {
    const { handled } = this;
    for (const workspace of new Set(this.#sent.map((line) => line.slice(0, line.indexOf(':'))))) {
      expect(this.of(handled, workspace)).toEqual(this.of(this.#sent, workspace));
    }
    expect(handled).toHaveLength(this.#sent.length);
  }
}

describe('a flood of one workspace', () => {
  test('waits for its share of each batch, while what another sends behind it is handled as it comes', async () => {
    const flood = new Flood();
    flood.send('flood', 1, 200);
    flood.send('quiet', 1, 1);
    const process = await flood.world.process({ spec: shared(small) }).start();
    const { time } = flood.world;
    expect(await time.until(() => flood.of(flood.handled, 'quiet').length === 1, MINUTE_MS)).toBe(true);
    expect(flood.of(flood.handled, 'flood').length).toBeLessThan(20);
    const { gauges, unsettled } = process.service.status();
    expect(gauges.waiting_records).toBeGreaterThan(180);
    expect(gauges.waiting_bytes).toBeGreaterThan(180);
    expect(unsettled).toBeGreaterThanOrEqual(gauges.waiting_records ?? 0);
    flood.send('flood', 1, 5);
    await flood.finish();
    flood.check();
    expect(process.service.status().gauges.waiting_records).toBe(0);
  });

  test('of records that are dear by themselves pays for each in the batches that follow, also after a start', async () => {
    const flood = new Flood();
    flood.send('flood', 1, 6);
    const dear: ServiceSpec = {
      ...shared(small),
      open: (...parts) => Object.assign(toyService.open(...parts), { takeUnits: () => 10 * small.unitsMax }),
    };
    const first = await flood.world.process({ spec: dear }).start();
    await flood.world.time.until(() => flood.handled.length === 3, MINUTE_MS);
    first.kill();
    const second = await flood.world.process({ spec: dear }).start();
    await flood.finish();
    flood.check();
    expect(second.failure).toBe('');
    const { length } = flood.world.journal();
    expect(length).toBeGreaterThan(5 * 10);
    expect(length).toBeLessThan(5 * 10 + 20);
  });

  test('has the same waiting after a kill, with its state and without', async () => {
    for (const disk of [undefined, new MemoryDisk()]) {
      const flood = new Flood();
      flood.send('flood', 1, 300);
      const spec = shared(small);
      const first = await flood.world.process({ spec }).start();
      await flood.world.time.until(() => flood.handled.length > 40, MINUTE_MS);
      first.kill();
      expect(flood.handled.length).toBeLessThan(200);
      const second = await flood.world.process({ spec, ...(disk && { disk }) }).start();
      flood.send('quiet', 1, 3);
      await flood.finish();
      flood.check();
      expect(second.failure).toBe('');
    }
  });

  test('of which so much waits that there is no more room has its oldest handled, and loses none', async () => {
    const flood = new Flood();
    flood.send('flood', 1, 200);
    const bounds = { ...small, waitingRecordsMax: 50 };
    const process = await flood.world.process({ spec: shared(bounds) }).start();
    await flood.world.time.until(() => flood.handled.length > 0, MINUTE_MS);
    expect(process.service.status().gauges.waiting_records).toBeLessThanOrEqual(50);
    expect(flood.handled.length).toBeGreaterThanOrEqual(150);
    await flood.finish();
    flood.check();
  });

  test('whose records all fail rests, and stops nobody: others go on, nothing of it is in the bin', async () => {
    const flood = new Flood();
    const letters = { perMinuteMax: 5, perBatchMax: 2 };
    const spec = failing({ ...shared({ ...small, letters }) }, flood.world, (id) => id.startsWith('flood'));
    const deadLetters = { perMinuteMax: 5, shareMax: 0.1 };
    const process = await flood.world.process({ spec, deadLetters }).start();
    flood.send('flood', 1, 60);
    flood.send('quiet', 1, 20);
    await flood.world.time.until(() => flood.of(flood.handled, 'quiet').length === 20, MINUTE_MS);
    flood.send('quiet', 1, 20);
    await flood.world.time.run(10_000);
    expect(flood.of(flood.handled, 'quiet')).toHaveLength(40);
    expect([process.state, process.failure]).toEqual(['live', '']);
    expect(flood.letters).toHaveLength(5);
    expect(process.service.status().gauges).toMatchObject({ resting_workspaces: 1, waiting_records: 55 });
    await flood.world.time.run(3 * MINUTE_MS);
    expect(flood.letters.length).toBeGreaterThan(10);
    expect(flood.letters.length).toBeLessThanOrEqual(20);
    expect(process.state).toBe('live');
  });

  test('whose records fail rests also after a kill, with its state and without, and goes on when it is mended', async () => {
    for (const disk of [undefined, new MemoryDisk()]) {
      const flood = new Flood();
      const bad = shared({ ...small, letters: { perMinuteMax: 5, perBatchMax: 2 } });
      let isMended = false;
      const spec = failing(bad, flood.world, (id) => !isMended && id.startsWith('flood'));
      const first = await flood.world.process({ spec }).start();
      flood.send('flood', 1, 60);
      await flood.world.time.until(() => flood.letters.length === 5, MINUTE_MS);
      first.kill();
      isMended = true;
      const second = await flood.world.process({ spec, ...(disk && { disk }) }).start();
      await flood.world.time.until(() => flood.handled.length === 55, 5 * MINUTE_MS);
      expect(second.failure).toBe('');
      expect(flood.letters).toHaveLength(5);
      expect(flood.handled).toEqual(
        Array.from({ length: 55 }, (_, each) => `flood:a:1 flood-${String(each + 5)}`),
      );
    }
  });

  test('of which as much waits as may, behind records that fail, has its oldest put aside untried, and says so', async () => {
    const flood = new Flood();
    const bounds = { ...small, waitingRecordsMax: 20, letters: { perMinuteMax: 5, perBatchMax: 5 } };
    const spec = failing(shared(bounds), flood.world, (id) => Number(id.split('-')[1]) < 10);
    const process = await flood.world.process({ spec }).start();
    flood.send('flood', 1, 60);
    await flood.world.time.run(5_000);
    expect(flood.letters.slice(0, 5).map(({ code }) => code)).toEqual(new Array(5).fill('assertion_failed'));
    expect(flood.letters.slice(5).map(({ code }) => code)).toEqual(new Array(35).fill('workspace_rests'));
    await flood.world.time.until(() => flood.handled.length === 20, 5 * MINUTE_MS);
    expect(flood.handled.at(0)).toBe('flood:a:1 flood-40');
    expect(flood.world.broker.committed('eventsDropped')).toHaveLength(40);
    expect(process.state).toBe('live');
  });

  test('with a record that fails when its turn comes loses that one alone, with its letter', async () => {
    const flood = new Flood();
    flood.send('flood', 1, 100);
    const spec = failing(shared(small), flood.world, (id) => id === 'flood-70');
    const process = await flood.world.process({ spec }).start();
    await flood.world.time.until(() => flood.handled.length >= 99, 10 * MINUTE_MS);
    expect(flood.handled.filter((line) => line.endsWith(' flood-70'))).toEqual([]);
    expect(new Set(flood.handled).size).toBe(99);
    expect(flood.world.broker.committed('deadLetters')).toHaveLength(1);
    expect(process.state).toBe('live');
  });
});

test('whatever workspaces send and whatever is killed when, each record is handled once and in its order', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('send' as const),
      workspace: fc.constantFrom('a', 'b', 'c'),
      lane: fc.integer({ min: 0, max: 2 }),
      count: fc.integer({ min: 1, max: 40 }),
    }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 300 }) }),
    fc.record({ do: fc.constant('kill' as const), losesDisk: fc.boolean() }),
  );
  const bounds = fc.record({
    unitsMax: fc.integer({ min: 1, max: 400 }),
    waitingRecordsMax: fc.integer({ min: 1, max: 60 }),
    waitingBytesMax: fc.integer({ min: 1, max: 20_000 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 20 }), bounds, async (steps, share) => {
      const flood = new Flood();
      const spec = shared(share);
      let process = await flood.world.process({ spec }).start();
      for (const each of steps) {
        if (each.do === 'send') flood.send(each.workspace, each.lane, each.count);
        else if (each.do === 'wait') await flood.world.time.run(each.ms);
        else {
          process.kill();
          const disk = each.losesDisk ? { disk: new MemoryDisk() } : {};
          process = await flood.world.process({ spec, ...disk }).start();
        }
      }
      await flood.finish();
      flood.check();
      expect(process.failure).toBe('');
    }),
    { numRuns: 40 },
  );
});
