/**
 * The sink on the real parts of this machine: rows a second into `events`, acknowledged to visible, and the cookbook's
 * questions over many events. `npm run bench -- sink [--rows N] [--seconds N] [--events N]
 * [--anonymous N]`; 0 leaves a part out.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { migrate } from '../services/sink/schema/migrate.ts';
import { freePort, startEngineProcess } from '../infra/local/engine/engine-process.ts';
import type { Codecs } from '../schemas/codec.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { sinkProcess } from '../services/testing/sink/chaos.ts';
import { sampleMerged } from '../services/testing/sink/sample-load.ts';
import { openTarget, type ClickHouseAddress, type Target } from '../services/sink/target.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import type { Log } from '../services/runtime/log/ports.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { askAnonymous, askCookbook, fillAnonymous, fillShop } from './sink-cookbook.ts';
import { holdParts } from './sink-parts.ts';

const PARTITIONS = 8;
const LATENCY_EVENTS_PER_SECOND = 5_000;
const PROBE_EVERY_MS = 40;
/** Adds as much to what is measured; asking more often would load the engine more than the sink does. */
const POLL_EVERY_MS = 40;
const CLOCK_TICKS_A_SECOND = 100;

interface Stage {
  readonly log: Log;
  readonly codecs: Codecs;
  readonly target: Target;
  readonly sinkPid: number;
  readonly enginePid: number;
  readonly written: () => Promise<number>;
}

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: 'string', default: '1000000' },
      seconds: { type: 'string', default: '20' },
      events: { type: 'string', default: '10000000' },
      anonymous: { type: 'string', default: '10000000' },
    },
  });
  const rows: BenchRow[] = [];
  const folder = await mkdtemp(join(tmpdir(), 'hindsight-bench-sink-'));
  const engine = await startEngineProcess({ folder: join(folder, 'engine'), port: await freePort() });
  const { url, username, password } = engine;
  try {
    if (Number(values.rows) > 0 || Number(values.seconds) > 0) {
      const address = { url, username, password, database: 'bench' };
      rows.push(
        ...(await benchSink(
          folder,
          { address, enginePid: engine.pid },
          { rowsWanted: Number(values.rows), seconds: Number(values.seconds) },
        )),
      );
    }
    const cpu = (): number => cpuSeconds(engine.pid);
    if (Number(values.events) > 0) {
      rows.push(
        ...(await withShop(
          { url, username, password, database: 'bench_cookbook' },
          async (target, address) => {
            await fillShop(target, Number(values.events));
            await target.refreshToday('all');
            return askCookbook(address, cpu);
          },
        )),
      );
    }
    if (Number(values.anonymous) > 0) {
      rows.push(
        ...(await withShop(
          { url, username, password, database: 'bench_anonymous' },
          async (target, address) => {
            await fillAnonymous(target, Number(values.anonymous), Math.floor(Number(values.anonymous) / 30));
            return askAnonymous(address, cpu, target);
          },
        )),
      );
    }
  } finally {
    await engine.kill();
    await rm(folder, { recursive: true, force: true });
  }
  return rows;
}

async function withShop(
  address: ClickHouseAddress,
  ask: (target: Target, address: ClickHouseAddress) => Promise<BenchRow[]>,
): Promise<BenchRow[]> {
  await migrate(address);
  const target = openTarget(address, { replicated: false });
  try {
    return await ask(target, address);
  } finally {
    await target.close();
  }
}

async function benchSink(
  folder: string,
  { address, enginePid }: { readonly address: ClickHouseAddress; readonly enginePid: number },
  { rowsWanted, seconds }: { readonly rowsWanted: number; readonly seconds: number },
): Promise<BenchRow[]> {
  const parts = await holdParts();
  const prefix = `bench-${String(Date.now())}.`;
  await migrate(address);
  const codecs = await registerSchemas({ url: parts.registryUrl });
  const log = await openLog({ brokers: parts.brokers, clientId: 'bench', prefix });
  await log.admin.createTopics(PARTITIONS);
  const target = openTarget(address, { replicated: false });
  const measured: BenchRow[] = [];
  if (rowsWanted > 0) await fill(log, codecs, rowsWanted);
  const sink = sinkProcess({
    folder,
    prefix,
    brokers: parts.brokers,
    registryUrl: parts.registryUrl,
    address,
  });
  try {
    await sink.running();
    const written = async (): Promise<number> =>
      Number((await target.ask('SELECT count() FROM stored_merged'))[0]);
    const stage = { log, codecs, target, sinkPid: sink.child.pid ?? 0, enginePid, written };
    if (rowsWanted > 0) measured.push(await rate(stage, rowsWanted));
    if (seconds > 0) measured.push(await latency(stage, seconds));
  } finally {
    await sink.kill();
    await target.close();
    await log.close();
    await parts.release();
  }
  return measured;
}

async function fill(log: Log, codecs: Codecs, rows: number): Promise<void> {
  const producer = await log.producer({ lingerMs: 5, pendingRecordsMax: 50_000 });
  const now = Date.now();
  for (let sent = 0; sent < rows;) {
    const batch: Promise<unknown>[] = [];
    for (const end = Math.min(rows, sent + 20_000); sent < end; sent++) {
      const value = codecs.MergedEvent.encode(sampleMerged(sent, now + Math.floor(sent / 1000)));
      batch.push(producer.send('eventsMerged', Buffer.from(`sample:${String(sent % 997)}`), value));
    }
    await Promise.all(batch);
  }
  await producer.close();
}

/** From the sink's first rows to its last, at least half a second apart, so that its start is not counted. */
async function rate({ written, sinkPid, enginePid }: Stage, rows: number): Promise<BenchRow> {
  let first = 0;
  while (first === 0) {
    await sleep(20);
    first = await written();
  }
  const start = { at: performance.now(), sink: cpuSeconds(sinkPid), engine: cpuSeconds(enginePid) };
  while ((await written()) < rows) await sleep(20);
  const wall = (performance.now() - start.at) / 1000;
  const counted = rows - first;
  return {
    what: 'rows into events',
    value: Math.round(counted / wall),
    unit: 'rows/s',
    detail: `${String(counted)} rows in ${wall.toFixed(1)} s; CPU: sink ${(cpuSeconds(sinkPid) - start.sink).toFixed(1)} s, engine ${(cpuSeconds(enginePid) - start.engine).toFixed(1)} s`,
  };
}

/** Probes of one person among the load; that person's rows are counted through the view until they are seen. */
async function latency({ log, codecs, target }: Stage, seconds: number): Promise<BenchRow> {
  const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 100_000 });
  const acknowledged: number[] = [];
  const took: number[] = [];
  const start = performance.now();
  let sent = 0;
  let probes = 0;
  const polling = (async () => {
    while (took.length < probes || performance.now() - start < seconds * 1000) {
      const [count] = await target.ask(
        "SELECT count() FROM events WHERE workspace = 'probe' AND person_id = 'cio_probe'",
      );
      const now = performance.now();
      while (took.length < Number(count)) took.push(now - (acknowledged[took.length] ?? now));
      await sleep(POLL_EVERY_MS);
    }
  })();
  while (performance.now() - start < seconds * 1000) {
    const elapsed = performance.now() - start;
    for (const due = (elapsed / 1000) * LATENCY_EVENTS_PER_SECOND; sent < due; sent++) {
      const value = codecs.MergedEvent.encode(sampleMerged(sent, Date.now()));
      producer
        .send('eventsMerged', Buffer.from(`sample:${String(sent % 997)}`), value)
        .catch(() => undefined);
    }
    if (elapsed > probes * PROBE_EVERY_MS) {
      const index = probes++;
      const probe = { ...sampleMerged(index, Date.now()), workspace: 'probe', person_id: 'cio_probe' };
      void producer
        .send('eventsMerged', Buffer.from('probe:cio_probe'), codecs.MergedEvent.encode(probe))
        .then(() => {
          acknowledged[index] = performance.now();
        });
    }
    await sleep(5);
  }
  await polling;
  await producer.close();
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  return {
    what: `acknowledged to visible at ${String(LATENCY_EVENTS_PER_SECOND)} events/s, p99`,
    value: at(0.99),
    unit: 'ms',
    detail: `${String(sorted.length)} probes; p50 ${String(at(0.5))}, p90 ${String(at(0.9))}, longest ${String(at(0.9999))} ms`,
  };
}

function cpuSeconds(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND;
}
