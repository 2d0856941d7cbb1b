/**
 * A segment that is made when much has happened already: how long until everybody who matches is in it, and how long that
 * holds up what comes meanwhile. All partitions of the trigger in this process on the real keyed stores, the reader of the
 * past and a real ClickHouse; no broker. `npm run bench -- backfill [--events 10000000] [--people 1000000] [--named 10]
 * [--rate 2000] [--folder DIR]`
 *
 * One event of so many (`named`) has the name that the segment counts; the trigger has a state of everybody. Events come at
 * a rate before the segment is made and until its past is in and everybody has been looked at. An event is held from the
 * moment at which it was due until the batch that has it is decided. The members are compared with the engine's own count.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort, startEngineProcess } from '../infra/local/engine/engine-process.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { assertState } from '../services/runtime/errors.ts';
import { silentLogger } from '../services/runtime/logger.ts';
import { migrate } from '../services/sink/schema/migrate.ts';
import { openTarget, type ClickHouseAddress } from '../services/sink/target.ts';
import { ClickhousePast } from '../services/trigger/past/clickhouse.ts';
import { PastReader } from '../services/trigger/past/reader.ts';
import { BackfilledTrigger, PARTITIONS, type Shop } from './backfill/backfilled-trigger.ts';
import { fillMerged, membersByEngine, NAMED } from './backfill/merged-rows.ts';
import { cpuSince } from './trigger/trigger-processor.ts';

const QUIET_MS = 3_000;
const WATERMARKS_EVERY_MS = 50;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '10000000' },
      people: { type: 'string', default: '1000000' },
      named: { type: 'string', default: '10' },
      rate: { type: 'string', default: '2000' },
      folder: { type: 'string' },
    },
  });
  const [events = 0, people = 0, named = 1, eventsPerSecond = 0] = [
    ...[values.events, values.people, values.named, values.rate].map(Number),
  ];
  const shop = { events, people, named, eventsPerSecond };
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'hindsight-bench-backfill-'));
  const engine = await startEngineProcess({ folder: join(folder, 'engine'), port: await freePort() });
  try {
    const { url, username, password } = engine;
    const address = { url, username, password, database: 'bench' };
    const expected = await filled(address, shop);
    const row = await measured(join(folder, 'trigger'), address, shop);
    assertState(row.members === expected, `the engine counts ${String(expected)} members`);
    return [{ ...shop, ...row }];
  } finally {
    await engine.kill();
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns how many match. */
async function filled(address: ClickHouseAddress, shop: Shop): Promise<number> {
  await migrate(address);
  const target = openTarget(address, { replicated: false });
  try {
    await fillMerged(target, shop, PARTITIONS);
    return await membersByEngine(address);
  } finally {
    await target.close();
  }
}

async function measured(folder: string, address: ClickHouseAddress, shop: Shop) {
  const trigger = new BackfilledTrigger(folder, shop);
  const past = new ClickhousePast({ ...address, layout: { type: 'single' }, shardUrls: [] });
  const reader = new PastReader({
    wanted: () => trigger.wantedPasts(),
    source: past,
    placing: past.placing,
    replayed: () => undefined,
    admin: {
      committedOffsets: () =>
        Promise.resolve(
          Array.from({ length: PARTITIONS }, () => ({ offset: Number.MAX_SAFE_INTEGER, metadata: null })),
        ),
      endOffsets: () => Promise.resolve([]),
    },
    producer: { send: (_topic, _key, value, partition) => trigger.told(value, partition ?? 0) },
    codecs: trigger.codecs,
    logger: silentLogger,
  });
  try {
    const running = new Running(trigger);
    const heldMsMaxBefore = await running.until((ms) => ms >= QUIET_MS);
    const cpu = process.cpuUsage();
    const began = performance.now();
    trigger.define('keen', {
      name: 'Keen',
      type: 'data_driven',
      when: { ...NAMED, count: { at_least: 2 }, within: 'P30D' },
    });
    reader.start();
    let readMs = 0;
    const heldMsMax = await running.until(() => {
      if (readMs === 0 && trigger.isRead()) readMs = performance.now() - began;
      return trigger.isSettled();
    });
    const doneMs = performance.now() - began;
    return {
      members: trigger.members,
      readSeconds: seconds(readMs),
      doneSeconds: seconds(doneMs),
      cpuSeconds: seconds(cpuSince(cpu)),
      heldMsMaxBefore: Math.round(heldMsMaxBefore),
      heldMsMax: Math.round(heldMsMax),
      rssMiB: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
  } finally {
    await reader.stop();
    await past.close();
    trigger.close();
  }
}

/** Batches as they are due, by the clock. */
class Running {
  readonly #trigger: BackfilledTrigger;
  #markedAt = 0;

  constructor(trigger: BackfilledTrigger) {
    this.#trigger = trigger;
  }

  /** @returns ms for which an event was held at most. */
  async until(isOver: (ms: number) => boolean): Promise<number> {
    const began = performance.now();
    let heldMsMax = 0;
    for (;;) {
      const now = performance.now();
      if (isOver(now - began)) return heldMsMax;
      const isMarked = now - this.#markedAt >= WATERMARKS_EVERY_MS;
      if (isMarked) this.#markedAt = now;
      heldMsMax = Math.max(heldMsMax, this.#trigger.step(isMarked));
      this.#trigger.flush();
      await turn();
    }
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
