/**
 * What it costs the sink to know whose rows are whose after a batch with one merge, or one deletion, where many people
 * have been merged and deleted before. `npm run bench -- today [--people 100000,1000000] [--batches 7]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../services/sink/schema/migrate.ts';
import { freePort, startEngineProcess } from '../infra/local/engine/engine-process.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { openTarget, type Target } from '../services/sink/target.ts';
import { leastMedianGreatest } from './median.ts';

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      people: { type: 'string', default: '100000,1000000' },
      batches: { type: 'string', default: '7' },
    },
  });
  const folder = await mkdtemp(join(tmpdir(), 'hindsight-bench-today-'));
  const engine = await startEngineProcess({ folder: join(folder, 'engine'), port: await freePort() });
  const rows: BenchRow[] = [];
  try {
    for (const people of values.people.split(',').map(Number)) {
      const { url, username, password } = engine;
      const address = { url, username, password, database: `bench_${String(people)}` };
      await migrate(address);
      const target = openTarget(address, { replicated: false });
      rows.push(await measured(target, people, Number(values.batches)));
      await target.close();
    }
    return rows;
  } finally {
    process.kill(engine.pid);
    await rm(folder, { recursive: true, force: true });
  }
}

async function measured(target: Target, people: number, batches: number): Promise<BenchRow> {
  await addFacts(target, 'person_absorbed', 0, people);
  await addFacts(target, 'person_deleted', people, people);
  const all = await millisecondsOf(() => target.refreshToday('all'));
  const times = { person_absorbed: [] as number[], person_deleted: [] as number[] };
  let number = 2 * people;
  for (let batch = 0; batch < batches; batch += 1) {
    for (const kind of ['person_absorbed', 'person_deleted'] as const) {
      await addFacts(target, kind, number, 1);
      const since = [{ topic: 'identityLog', partition: 0, from: number, to: number + 1 }] as const;
      times[kind].push(await millisecondsOf(() => target.refreshToday(since)));
      number += 1;
    }
  }
  return {
    'people merged': people,
    'and deleted': people,
    'one more merge, ms': leastMedianGreatest(times.person_absorbed, 0),
    'one more deletion, ms': leastMedianGreatest(times.person_deleted, 0),
    'all of it by the views, ms': Math.round(all),
  };
}

/** Facts about people of whom nothing was said before. */
async function addFacts(target: Target, kind: string, from: number, facts: number): Promise<void> {
  const person = (number: string): string => `concat('cio_', lower(hex(sipHash64(toUInt64(${number})))))`;
  const first = String(from);
  await target.command(`INSERT INTO stored_facts (number, workspace, kind, at, person_id, other_person_id, identifier_kind, _partition, _offset)
    SELECT ${first} + number, 'shop', '${kind}', toDateTime64('2026-03-15 00:00:00', 3, 'UTC'), ${person(`2 * (${first} + number)`)},
    ${kind === 'person_deleted' ? 'NULL' : person(`2 * (${first} + number) + 1`)}, 'none', 0, ${first} + number
    FROM numbers(${String(facts)})`);
}

async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return performance.now() - begin;
}
