/** `.env.example` is where an operator looks settings up, so it may neither miss one, nor name one too many, nor lie. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readGatewayConfig } from '../../services/gateway/config.ts';
import { readLauncherSettings } from './launcher-settings.ts';

/** Given by one of our processes to another, never by a person. */
const internal = /^(HINDSIGHT_PARENT_PID|CLICKHOUSE_ENGINE_.*)$/;
const ours = /(?:env\.|['"])((?:HINDSIGHT|KAFKA|SCHEMA|CLICKHOUSE)_[A-Z_]+)\b(?![.*])/g;
const sourceFolders = ['infra', 'scripts', 'services'];

const example = new Map(
  [...readFileSync('.env.example', 'utf8').matchAll(/^#?([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [
    name ?? '',
    value ?? '',
  ]),
);

describe('.env.example', () => {
  test('names every setting that the code reads, and no other', () => {
    const read = new Set(
      sourceFolders
        .flatMap(sourcesIn)
        .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(ours)].map(([, name]) => name ?? ''))
        .filter((name) => !internal.test(name)),
    );
    expect([...example.keys()].sort()).toEqual([...read].sort());
  });

  test('gives the defaults: with all of it set, the settings are those of an empty environment', () => {
    const parts = { KAFKA_BROKERS: '127.0.0.1:9092', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081' };
    const all = Object.fromEntries(example);
    expect(readLauncherSettings(all)).toEqual(readLauncherSettings({}));
    expect(readGatewayConfig({ ...all, ...parts })).toEqual(readGatewayConfig(parts));
  });

  test('is read by npm start without a complaint', () => {
    for (const [name, value] of example) expect(`${name}=${value}`).toMatch(/^[A-Z_]+=[^\s"'#]*$/);
  });
});

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'testing' ? [] : sourcesIn(path);
    return /\.(ts|mjs)$/.test(entry.name) && !entry.name.includes('.test.') ? [path] : [];
  });
}
