/**
 * The merger's race, on one broker, one machine and one input: (a) the same work as a Kafka Streams application
 * (bench/kafka-streams-peer), (b) the pass-through of our runtime, which is the limit, (c) the merger, identity included;
 * then kill -9 half way, with its state kept and with it deleted.
 * `npm run bench -- merger [--events 2000000] [--runs 3] [--only peer|pass|merger|recovery] [--folder DIR]
 *    [--profile DIR] [--minutes 60]`
 *
 * The peer's load generator writes the events once; before anything is measured they are copied as CollectedEvents into
 * one fresh installation for each run. What the merger gives is copied back, and the peer's checker compares it with
 * its oracle: its verdict is in the table. `--profile` writes CPU profiles of the merger's process;
 * after `--minutes` no further round begins.
 * Needs a JDK and Maven, and about 1 GB of disk for each million events and run.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compileServices } from '../infra/local/compiled-services.ts';
import { startOwnParts } from '../infra/local/own-parts.ts';
import { Supervisor } from '../infra/local/supervisor.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { Peer } from './merger/peer.ts';
import { Race, type Contestant } from './merger/race.ts';
import { runRow, summaryRows } from './merger/rows.ts';

const contestants: readonly Contestant[] = ['peer', 'pass', 'merger', 'recovery'];
const root = fileURLToPath(new URL('..', import.meta.url));

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '2000000' },
      runs: { type: 'string', default: '3' },
      only: { type: 'string' },
      minutes: { type: 'string', default: '60' },
      folder: { type: 'string', default: tmpdir() },
      profile: { type: 'string' },
    },
  });
  const only = contestants.filter((name) => values.only === undefined || values.only === name);
  const folder = await mkdtemp(join(values.folder, 'hindsight-bench-merger-'));
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  try {
    const parts = await startParts(folder, supervisor);
    const race = await Race.prepare({
      ...parts,
      root,
      folder,
      peer: await Peer.build(root, parts.brokers),
      codecs: await registerSchemas({ url: parts.registryUrl }),
      program: await compileServices({ root, dataFolder: folder, report: say }),
      events: Number(values.events),
      runs: Number(values.runs),
      only,
      profileFolder: values.profile,
      report: say,
    });
    await race.run(Number(values.minutes));
    return [...race.figures.map(runRow), ...summaryRows(race.figures), ...race.recoveries];
  } finally {
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function startParts(
  folder: string,
  supervisor: Supervisor,
): Promise<{ readonly brokers: string; readonly registryUrl: string; readonly brokerPid: number }> {
  const own = startOwnParts({
    root,
    env: process.env,
    dataFolder: join(folder, 'parts'),
    supervisor,
    signal: new AbortController().signal,
    report: say,
    usualPorts: false,
    wanted: { kafka: true, registry: true, clickhouse: false },
  });
  const [brokers, registryUrl] = await Promise.all([own.kafka, own.registry]);
  const brokerPid = supervisor.running().get('kafka')?.pid;
  if (brokers === undefined || registryUrl === undefined || brokerPid === undefined) {
    throw new CodedError('bench_failed', 'could not start the broker and the registry');
  }
  return { brokers, registryUrl, brokerPid };
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
