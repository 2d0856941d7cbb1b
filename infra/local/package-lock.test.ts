/**
 * npm leaves packages of other platforms out of package-lock.json when it made the file on a machine, or against a
 * registry, without them (npm issue 4828). `npm ci`, and with it `npm start` on a fresh clone, then refuses the file, and a
 * Mac gets no ClickHouse engine. An entry that is missing is added by hand, with version, os, cpu and `"optional": true`.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface Entry {
  readonly version?: string;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Entry> };

test('package-lock.json has no package that no other asks for: it would never be installed, and each command would try again', () => {
  const asked = new Set(
    Object.values(lock.packages).flatMap((entry) =>
      [entry.dependencies, entry.devDependencies, entry.optionalDependencies, entry.peerDependencies].flatMap(
        (names = {}) => Object.keys(names),
      ),
    ),
  );
  const orphans = Object.entries(lock.packages)
    .filter(([folder, { optional }]) => folder !== '' && optional !== true)
    .map(([folder]) => folder.split('node_modules/').at(-1) ?? '')
    .filter((name) => !asked.has(name));
  expect(orphans).toEqual([]);
});

test('package-lock.json has every optional package of every platform', () => {
  const missing = Object.entries(lock.packages).flatMap(([folder, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !placesOf(folder, name).some((place) => lock.packages[place] !== undefined),
    ),
  );
  expect(missing).toEqual([]);
});

/** Where Node would find it from a folder, nearest first. */
function placesOf(folder: string, name: string): string[] {
  const parts = folder === '' ? [] : folder.split('/node_modules/');
  const above = parts.map(
    (_, depth) => `${parts.slice(0, parts.length - depth).join('/node_modules/')}/node_modules/${name}`,
  );
  return [...above, `node_modules/${name}`];
}
