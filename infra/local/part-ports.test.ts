import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keepPort, portOf } from './part-ports.ts';

const unset = { kafkaPort: undefined, registryPort: undefined, clickhousePort: undefined };
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hindsight-ports-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('the usual port at first, later the one of the last start, and always what a setting says', () => {
  expect(portOf(unset, folder, 'kafka')).toEqual({ usual: 9_092 });
  keepPort(folder, 'kafka', 40_001);
  keepPort(folder, 'clickhouse', 40_002);
  expect(portOf(unset, folder, 'kafka')).toEqual({ usual: 40_001 });
  expect(portOf(unset, folder, 'clickhouse')).toEqual({ usual: 40_002 });
  expect(portOf(unset, folder, 'registry')).toEqual({ usual: 8_081 });
  expect(portOf({ ...unset, kafkaPort: 40_003 }, folder, 'kafka')).toEqual({ fixed: 40_003 });
});

test.each(['', 'no JSON', 'null', '[1]', '{"kafka":"9"}'])('a file with %j costs nothing', (text) => {
  writeFileSync(join(folder, 'ports.json'), text);
  expect(portOf(unset, folder, 'kafka')).toEqual({ usual: 9_092 });
});
