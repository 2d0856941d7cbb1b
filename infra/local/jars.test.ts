/** Bringing the parts, with a Maven and a Java that only pretend. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bringJars, type Jars } from './jars.ts';
import { jarsFolder } from './requirements.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hindsight-jars-'));
  mkdirSync(join(root, 'infra/local'), { recursive: true });
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'infra/local/pom.xml'), '<project />');
  // Writes down each run, and leaves what the real one would, in two steps with a pause between them.
  program(
    'mvn',
    `echo "$@" >> ${root}/runs
for argument; do case "$argument" in -Dinto=*) into="\${argument#-Dinto=}";; esac; done
mkdir -p "$into/kafka" "$into/registry/PaxHeaders.X"; touch "$into/kafka/kafka.jar"
sleep 0.2
touch "$into/registry/apicurio-registry-app-3.0.9-runner.jar"`,
  );
  program('java', 'exit 0');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the jars', () => {
  test('are whole when their folder is there', async () => {
    const jars = await bring();
    expect(existsSync(jars.registry)).toBe(true);
    expect(readdirSync(join(jarsFolder(root), 'registry'))).not.toContain('PaxHeaders.X');
    expect(names()).toEqual([jarsFolder(root).split('/').at(-1)]);
  });

  test('are downloaded once by two starts at once', async () => {
    await Promise.all([bring(), bring()]);
    await bring();
    expect(runs()).toHaveLength(1);
  });

  test('are downloaded anew after a download that was killed', async () => {
    const parts = join(root, '.parts');
    const half = `${jarsFolder(root)}.4194303.part`;
    mkdirSync(join(half, 'kafka'), { recursive: true });
    writeFileSync(join(parts, 'jars.lock'), JSON.stringify({ pid: 4_194_303, start: 'long ago' }));
    await bring();
    expect(existsSync(half)).toBe(false);
    expect(names()).toHaveLength(1);
  });

  test('are not there after a download that failed, whose reason is told', async () => {
    program('mvn', 'echo "[ERROR] Unknown host jars.example"; exit 1');
    await expect(bring()).rejects.toMatchObject({
      code: 'download_failed',
      hint: expect.stringContaining('Unknown host') as unknown,
    });
    expect(names()).toEqual([]);
  });

  test('take MAVEN_ARGS, which Maven 3.8 does not read by itself', async () => {
    await bring({ MAVEN_ARGS: '-Dmaven.repo.local=/elsewhere  --offline' });
    expect(runs()[0]).toMatch(/^-Dmaven.repo.local=\/elsewhere --offline /);
  });
});

function bring(env: NodeJS.ProcessEnv = {}): Promise<Jars> {
  const path = `${join(root, 'bin')}${delimiter}${process.env.PATH ?? ''}`;
  return bringJars({
    root,
    env: { PATH: path, ...env },
    report: () => undefined,
    signal: new AbortController().signal,
  });
}

function program(name: string, script: string): void {
  writeFileSync(join(root, 'bin', name), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
}

function runs(): string[] {
  return readFileSync(join(root, 'runs'), 'utf8').trim().split('\n');
}

/** What lies in .parts. */
function names(): string[] {
  return readdirSync(join(root, '.parts'));
}
