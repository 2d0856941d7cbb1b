/**
 * The sample storefront. `npm run sample -- --help` lists the options.
 * Plays visitors through unmodified Customer.io clients into a running installation; --check compares ClickHouse with
 * the oracle and exits 1 unless everything is where it belongs.
 */
import { parseArgs } from 'node:util';
import { registerSchemas } from '../services/runtime/registry.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { openLog } from '../services/runtime/log/open-log.ts';
import { check, faultsOf, type CheckReport } from './sample/check.ts';
import { findInstallation, waitUntilSettled, type Installation } from './sample/installation.ts';
import { expectationsOf } from './sample/oracle.ts';
import { play, Shop } from './sample/send.ts';
import { applyRules, rules } from './sample/rules.ts';
import { tellStory } from './sample/story.ts';
import type { Visitor } from './sample/calls.ts';
import { makeStorefront } from './sample/storefront.ts';
import { Tables } from './sample/tables.ts';

const HELP = `npm run sample -- [options]
  --visitors N     how many visitors (200)
  --seed N         the same seed, the same storefront (1)
  --rate N         calls a second (as fast as they are acknowledged)
  --workspace W    into which workspace (sample)
  --run TEXT       goes into every id (a new one each time)
  --story          tells the first visitor's story live
  --check          waits until all is settled, compares ClickHouse with the oracle, exits 1 unless all is well
`;

const settleMsMax = 300_000;

const { values } = parseArgs({
  options: {
    visitors: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string' },
    workspace: { type: 'string', default: 'sample' },
    run: { type: 'string' },
    story: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    print(HELP);
    return;
  }
  const installation = findInstallation(process.env['HINDSIGHT_DATA'] ?? '.hindsight', values.workspace);
  await applyRules(installation);
  const now = Date.now();
  const run = values.run ?? now.toString(36);
  const visitors = makeStorefront({ seed: Number(values.seed), visitors: Number(values.visitors), now, run });
  const shop = new Shop(installation);
  const tables = new Tables(installation.clickhouse, values.workspace);
  try {
    const crowd = values.story ? visitors.slice(1) : visitors;
    await playCrowd(shop, crowd);
    if (values.story && visitors[0] !== undefined) await story(installation, shop, tables, visitors[0]);
    if (values.check) await compare(installation, tables, visitors);
  } finally {
    await shop.close();
    await tables.close();
  }
}

async function playCrowd(shop: Shop, visitors: readonly Visitor[]): Promise<void> {
  const start = performance.now();
  let shown = start;
  const calls = await play(shop, visitors, {
    ...(values.rate === undefined ? {} : { rate: Number(values.rate) }),
    onProgress: (made) => {
      if (performance.now() - shown < 2_000) return;
      shown = performance.now();
      print(`   ${String(made)} calls in ${seconds(start)}`);
    },
  });
  print(
    `${String(visitors.length)} visitors made ${String(calls)} calls in ${seconds(start)}, each acknowledged.`,
  );
}

async function story(
  installation: Installation,
  shop: Shop,
  tables: Tables,
  visitor: Visitor,
): Promise<void> {
  const codecs = await registerSchemas({ url: installation.registry });
  const log = await openLog({ brokers: installation.kafka.split(','), clientId: 'sample', prefix: '' });
  try {
    await tellStory({ visitor, shop, tables, log, codecs, workspace: values.workspace, print });
  } finally {
    await log.close();
  }
}

async function compare(
  installation: Installation,
  tables: Tables,
  visitors: readonly Visitor[],
): Promise<void> {
  const start = performance.now();
  await waitUntilSettled(installation, settleMsMax);
  print(`Settled after ${seconds(start)}.`);
  const report = await check(tables, expectationsOf(visitors), rules);
  print(describe(report));
  if (faultsOf(report) > 0) process.exitCode = 1;
}

function describe(report: CheckReport): string {
  const rows: readonly (readonly [string, number])[] = [
    ['expected events', report.expected],
    ['found', report.found],
    ['lost', report.lost],
    ['doubled', report.doubled],
    ['misplaced', report.misplaced],
    ['misordered', report.misordered],
    ['repeats without a dropped row', report.repeatsLost],
    ['people wrongly in or out of a segment', report.membersWrong],
    ['people wrongly in or out of the journey', report.entriesWrong],
  ];
  const table = rows.map(([name, count]) => `   ${name.padEnd(42)}${String(count).padStart(8)}`).join('\n');
  const examples = report.examples.map((example) => `   ${example}`).join('\n');
  return examples === '' ? table : `${table}\n${examples}`;
}

function seconds(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  const hint = error instanceof CodedError && error.hint !== undefined ? ` ${error.hint}` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}.${hint}\n`);
  if (!(error instanceof CodedError)) process.stderr.write(`${String((error as Error).stack)}\n`); // a bug: show where
  process.exitCode = 1;
});
