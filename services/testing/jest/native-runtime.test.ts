/** Jest on our runtime, in a folder of its own with suites that do what suites may do wrong: none of it passes for green. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** What jest says of each suite in its report. */
interface SuiteReport {
  readonly name: string;
  readonly status: 'passed' | 'failed';
  readonly message: string;
  readonly assertionResults: readonly { readonly title: string; readonly status: string }[];
}

const runMsMax = 300_000;
/** Of what each suite of these is loaded with; the rest is its own. */
const preamble = "import { expect, jest, test } from '@jest/globals';";
const suites = {
  works: `
    globalThis.mark = (globalThis.mark ?? 0) + 1;
    test('is alone in its process', () => { expect(globalThis.mark).toBe(1); });
    test('counts calls', () => {
      const spied = jest.spyOn(Math, 'random').mockReturnValue(0.5);
      expect([Math.random(), spied.mock.calls.length]).toEqual([0.5, 1]);
      jest.restoreAllMocks();
      const fn: (n: number) => number = jest.fn((n: number) => n + 1);
      expect([fn(1), fn]).toEqual([2, expect.any(Function)]);
    });`,
  alone: `
    test('is alone in its process', () => { expect(globalThis.mark).toBe(undefined); globalThis.mark = 7; });
    test.each([1, 2])('of each %d', (n) => { expect(n).toBeGreaterThan(0); });`,
  wrong: `
    interface Typed { readonly a: number }

    test('is wrong in line six', () => {
      const found: Typed = { a: 1 };
      expect(found).toEqual({ a: 2 });
    });`,
  hangs: `
    jest.setTimeout(200);
    test('does not end', async () => { await new Promise(() => { setInterval(() => undefined, 1_000); }); });`,
  crashes: `
    test('takes its process along', () => { process.kill(process.pid, 'SIGSEGV'); return new Promise(() => undefined); });`,
  leaves: `
    test('leaves by itself', () => { process.exit(0); });`,
  unread: `
    import { nothing } from './no-such-file.ts';
    test('is never tried', () => { expect(nothing).toBe(1); });`,
};
type Name = keyof typeof suites;

let folder: string;
let status: number | null;
let reports: Map<string, SuiteReport>;

function run(...args: string[]): number | null {
  const config = {
    rootDir: folder,
    runtime: resolve('services/testing/jest/native-runtime.ts'),
    testEnvironment: resolve('services/testing/jest/native-environment.ts'),
    testRunner: resolve('services/testing/jest/counted-runner.ts'),
    testMatch: ['**/*.test.ts'],
    transform: {},
    injectGlobals: false,
    workerIdleMemoryLimit: 0,
  };
  const output = join(folder, 'report.json');
  const jest = resolve('node_modules/jest/bin/jest.js');
  const options = ['--json', '--outputFile', output, ...args];
  const ended = spawnSync(process.execPath, [jest, '--config', JSON.stringify(config), ...options], {
    cwd: folder,
    encoding: 'utf8',
    timeout: runMsMax,
  });
  const { testResults } = JSON.parse(readFileSync(output, 'utf8')) as { testResults: SuiteReport[] }; // jest's
  reports = new Map(testResults.map((each) => [each.name.slice(folder.length + 1), each]));
  return ended.status;
}
const of = (name: Name): SuiteReport | undefined => reports.get(`${name}.test.ts`);

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hindsight-jest-')));
  for (const [name, text] of Object.entries(suites))
    writeFileSync(join(folder, `${name}.test.ts`), preamble + text);
}, runMsMax);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('suites that are loaded as node loads services', () => {
  test(
    'one that passes is green, and everything else is red and says why',
    () => {
      status = run('--maxWorkers', '2');
      expect(status).toBe(1);
      expect(reports.size).toBe(Object.keys(suites).length);
      expect([of('works'), of('alone')].map((each) => [each?.status, each?.message])).toEqual([
        ['passed', ''],
        ['passed', ''],
      ]);
      expect(of('alone')?.assertionResults.map(({ title }) => title)).toEqual([
        'is alone in its process',
        'of each 1',
        'of each 2',
      ]);
      const red: Name[] = ['wrong', 'hangs', 'crashes', 'leaves', 'unread'];
      expect(red.map((name) => of(name)?.status)).toEqual(red.map(() => 'failed'));
      expect(of('wrong')?.message).toContain('wrong.test.ts:6:');
      expect(of('hangs')?.message).toContain('Exceeded timeout of 200 ms');
      expect(of('hangs')?.message).toContain('hangs.test.ts:3:');
      expect(of('hangs')?.message).not.toContain('counted-runner');
      expect(of('crashes')?.message).toContain('SIGSEGV');
      expect(of('leaves')?.message).toMatch(/process/);
      expect(of('unread')?.message).toContain('no-such-file.ts');
    },
    runMsMax,
  );

  test(
    'a pattern chooses tests by their names',
    () => {
      expect(run('--maxWorkers', '2', '--testNamePattern', 'of each 2', 'alone')).toBe(0);
      expect(of('alone')?.assertionResults.map((each) => each.status)).toEqual([
        'pending',
        'pending',
        'passed',
      ]);
    },
    runMsMax,
  );

  test(
    'the second of two suites in one process is red and says what to do',
    () => {
      expect(run('--runInBand', 'alone', 'works')).toBe(1);
      const messages = [of('works'), of('alone')].map((each) => each?.message ?? '');
      expect(messages.filter((each) => each === '')).toHaveLength(1);
      expect(messages.join('')).toContain('run jest without --runInBand');
    },
    runMsMax,
  );
});
