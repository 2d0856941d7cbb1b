/**
 * The merger's race, on one broker, one machine and one input: (a) the same work as a Kafka Streams application
 * (bench/kafka-streams-peer), (b) the pass-through of our runtime, which is the limit, (c) the merger, identity included;
 * then kill -9 half way, with its state kept and with it deleted.
 * `npm run bench -- merger [--events 2000000] [--runs 3] [--only peer|pass|merger|recovery] [--folder DIR]
 *    [--profile DIR] [--minutes 60]`
 * `npm run bench -- merger --steady 20000 [--seconds 60] [--warm 20] [--runs 3] [--only peer|merger] [--folder DIR]`
 *
 * The peer's load generator writes the events once; before a run they are copied as CollectedEvents into a fresh
 * installation, whose topics are deleted after it. What the merger gives is copied back, and the peer's checker compares
 * it with its oracle: its verdict is in the table. `--profile` writes CPU profiles of the merger's process; after
 * `--minutes` no further round begins. `--steady`: fed so many events a second while it runs, instead.
 * Needs a JDK and Maven, and about 2.5 GB of disk for each million events.
 */
import { rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { Supervisor } from '../infra/local/supervisor.ts';
import type { BenchRow } from '../scripts/bench.ts';
import { registerSchemas } from '../services/runtime/registry.ts';
import { openBenchFolder } from './bench-folder.ts';
import { root, startOwnBroker } from './merger/own-broker.ts';
import { Peer } from './merger/peer.ts';
import { Race, type Contestant } from './merger/race.ts';
import { runRow, summaryRows } from './merger/rows.ts';
import { runSteady } from './merger/steady.ts';
import { steadyRows } from './merger/steady-rows.ts';

const contestants: readonly Contestant[] = ['peer', 'pass', 'merger', 'recovery'];

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
      steady: { type: 'string' },
      seconds: { type: 'string', default: '60' },
      warm: { type: 'string', default: '20' },
    },
  });
  const only = contestants.filter((name) => values.only === undefined || values.only === name);
  const folder = openBenchFolder(values.folder, 'merger');
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  try {
    const parts = await startOwnBroker(folder, supervisor, say);
    const stage = {
      ...parts,
      root,
      folder,
      peer: await Peer.build(root, parts.brokers),
      codecs: await registerSchemas({ url: parts.registryUrl }),
      runs: Number(values.runs),
      profileFolder: values.profile,
      report: say,
    };
    if (values.steady !== undefined) {
      const figures = await runSteady({
        ...stage,
        eventsPerSecond: Number(values.steady),
        seconds: Number(values.seconds),
        warmSeconds: Number(values.warm),
        only: (['peer', 'merger'] as const).filter((name) => only.includes(name)),
      });
      return steadyRows(figures);
    }
    const race = await Race.prepare({
      ...stage,
      events: Number(values.events),
      only,
    });
    await race.run(Number(values.minutes));
    return [...race.figures.map(runRow), ...summaryRows(race.figures), ...race.recoveries];
  } finally {
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
