import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toWorkspace } from '../../../schemas/ids.ts';
import { KeptCounts } from './kept-counts.ts';
import { WorkspaceBytes } from './workspace-bytes.ts';

const shop = toWorkspace('shop');
const now = Date.parse('2026-03-04T10:30:00Z');
let dataFolder: string;
let warnings: string[];
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-usage-'));
  warnings = [];
});
afterEach(() => {
  rmSync(dataFolder, { recursive: true, force: true });
});

function open() {
  const bytes = new WorkspaceBytes({
    quotas: () => ({ hour_bytes: 100, day_bytes: null }),
    dayBytesMax: null,
    now: () => now,
  });
  const logger = { warn: (_fields: unknown, message: string) => warnings.push(message) };
  return { bytes, kept: new KeptCounts({ dataFolder, bytes, logger }) };
}

test('a gateway that starts again goes on counting', async () => {
  const first = open();
  first.bytes.add(shop, 100);
  await first.kept.close();
  const second = open();
  expect(second.bytes.waitS(shop)).toBe(1_800);
  await second.kept.close();
  expect(statSync(join(dataFolder, 'usage.json')).mode & 0o777).toBe(0o600);
  expect(warnings).toEqual([]);
});

test('what is no count is left out, and a file that cannot be read is told', async () => {
  const file = join(dataFolder, 'usage.json');
  const day = Math.floor(now / 86_400_000);
  const good = [
    'shop',
    [
      [Math.floor(now / 3_600_000), 7],
      [day, 9],
    ],
  ];
  const bad = [
    [
      'shop',
      [
        [1.5, 2],
        [3, 4],
      ],
    ],
    ['SHOP!', good[1]],
    ['other', [[1, 2]]],
    'x',
    null,
  ];
  writeFileSync(file, JSON.stringify([good, ...bad]));
  const { bytes, kept } = open();
  expect(bytes.entries.map(([workspace]) => workspace)).toEqual(['shop']);
  expect([bytes.usageOf(shop).hour.bytes, bytes.usageOf(shop).day.bytes]).toEqual([7, 9]);
  await kept.close();
  writeFileSync(file, '[[');
  const again = open();
  expect(warnings).toEqual(['what workspaces have brought cannot be read: it is counted anew']);
  again.bytes.add(shop, 1);
  await again.kept.close();
  expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveLength(1);
});
