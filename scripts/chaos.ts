/**
 * The long chaos runs. `npm run test:chaos` kills anything; `npm run test:chaos -- sink` only the sink and the engine
 * in the middle of inserts; `npm run test:chaos -- sink-outage` takes ClickHouse away for a while under load;
 * `npm run test:chaos -- outages` kills and stops the broker, and the gateway while its spool is drained. Options:
 * --kills N, --seed N, --rate N a second, --minutes N of the outage. Prints a report and exits 1 unless nothing is wrong.
 */
import { parseArgs } from 'node:util';
import { runOutages } from './chaos/outages.ts';
import { chaosFaultsOf, runChaos, type ChaosReport } from './chaos/run.ts';
import { runSinkChaos, runSinkOutage } from './chaos/sink.ts';
import type { Compared } from './sample/comparison.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kills: { type: 'string' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    rate: { type: 'string' },
    minutes: { type: 'string', default: '10' },
  },
});

async function main(): Promise<boolean> {
  const seed = Number(values.seed);
  print(`seed ${values.seed}`);
  if (positionals[0] === 'sink') return runSinkChaos({ kills: Number(values.kills ?? 100), seed, print });
  if (positionals[0] === 'sink-outage') {
    const eventsPerSecond = Number(values.rate ?? 1_500);
    return runSinkOutage({ minutes: Number(values.minutes), eventsPerSecond, seed, print });
  }
  if (positionals[0] === 'outages') {
    const report = await runOutages({ visitors: 100, print });
    print(JSON.stringify(report, null, 2));
    return report.wrong.length === 0 && report.refusal.startsWith('503');
  }
  const report = await runChaos({
    kills: Number(values.kills ?? 200),
    seed,
    pauseMs: [300, 2_500],
    visitors: 100,
    rate: Number(values.rate ?? 200),
    print,
  });
  print(describe(report));
  return chaosFaultsOf(report) === 0;
}

function describe(report: ChaosReport): string {
  const kills = Object.entries(report.kills).map(([victim, count]) => `${victim} ${String(count)}`);
  const rows: readonly (readonly [string, string | number])[] = [
    ['kills', kills.join(', ')],
    ['calls acknowledged', report.calls],
    ['attempts that failed and were made again', report.failedAttempts],
    ['longest wait for an acknowledgement', seconds(report.longestWaitMs)],
    ['longest stall from there to events.merged', seconds(report.longestStallMs)],
    ['settled after the last kill', seconds(report.settledAfterMs)],
    ...placesOf('events.merged', report.merged),
    ...placesOf('ClickHouse', report),
    ['ClickHouse: repeats without a dropped row', report.repeatsLost],
    ['people wrongly in or out of the segment', report.membersWrong],
    ['people wrongly in or out of the journey', report.entriesWrong],
  ];
  const table = rows.map(([name, value]) => `${name.padEnd(46)}${String(value)}`).join('\n');
  return [table, ...report.merged.examples, ...report.examples].join('\n');
}

function placesOf(where: string, compared: Compared): (readonly [string, number])[] {
  const { expected, found, lost, doubled, misplaced, misordered } = compared;
  const counts = { 'events expected': expected, found, lost, doubled, misplaced, misordered };
  return Object.entries(counts).map(([name, count]) => [`${where}: ${name}`, count]);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main()
  .then((well) => {
    process.exitCode = well ? 0 : 1;
  })
  .catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? String(error.stack) : String(error)}\n`);
    process.exitCode = 1;
  });
