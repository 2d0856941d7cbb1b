/**
 * The segment's race, on one broker, one machine and one input: counting segments kept by our trigger, and by a Kafka
 * Streams application (bench/kafka-streams-peer, `Segments.java`).
 * `npm run bench -- segment [--events 1000000] [--runs 3] [--segments 1,20] [--mention 2] [--named 10] [--people N]
 *    [--only peer|trigger] [--folder DIR] [--profile DIR] [--peer "--caching off"]`
 *
 * Segments are those of `bench -- trigger`: twice in 30 days, so many of which mention an event's name. People of a shop
 * are known and do things for 60 days (bench/segment/shop-events.ts), a tenth of which have a name that segments count
 * (`--named`); 20 events a person, if nothing else is said. A round fills the topics of an installation, then one after the
 * other catches up on them. Both read the same records and write those of segments.changed, which a checker compares with
 * what has to be there (bench/segment/expected-changes.ts). `--profile` writes CPU profiles of the trigger's process;
 * `--peer` gives the peer's application further arguments (its README).
 * Needs a JDK and Maven, and about 1.5 GB of disk for each million events.
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
import { runRound } from './segment/segment-race.ts';
import { segmentRows, type SegmentFigures } from './segment/segment-rows.ts';

const EVENTS_A_PERSON = 20;
const contestants = ['peer', 'trigger'] as const;

export async function bench(args: readonly string[]): Promise<readonly BenchRow[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      events: { type: 'string', default: '1000000' },
      people: { type: 'string' },
      named: { type: 'string', default: '10' },
      segments: { type: 'string', default: '1,20' },
      mention: { type: 'string', default: '2' },
      runs: { type: 'string', default: '3' },
      only: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
      profile: { type: 'string' },
      peer: { type: 'string', default: '' },
    },
  });
  const events = Number(values.events);
  const people = Number(values.people ?? Math.ceil(events / EVENTS_A_PERSON));
  const folder = openBenchFolder(values.folder, 'segment');
  const supervisor = new Supervisor({ restart: false, report: say, onChange: () => undefined });
  try {
    const parts = await startOwnBroker(folder, supervisor, say);
    const race = {
      ...parts,
      root,
      folder,
      peer: await Peer.build(root, parts.brokers),
      peerArgs: values.peer.split(' ').filter((each) => each !== ''),
      codecs: await registerSchemas({ url: parts.registryUrl }),
      shop: { events, people, named: Number(values.named) },
      mention: Number(values.mention),
      only: contestants.filter((name) => values.only === undefined || values.only === name),
      profileFolder: values.profile,
      report: say,
    };
    const figures: SegmentFigures[] = [];
    for (let run = 1; run <= Number(values.runs); run += 1) {
      for (const segments of values.segments.split(',').map(Number)) {
        figures.push(...(await runRound(race, segments, run)));
      }
    }
    return segmentRows(figures);
  } finally {
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function say(line: string): void {
  console.log(`${line} (load ${(loadavg()[0] ?? 0).toFixed(1)})`);
}
