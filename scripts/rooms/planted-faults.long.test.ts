/**
 * Every step of `npm run check` is seen to fail on a fault that is planted for it, and to say where it is. The faults lie
 * in a copy of what git has; rules of imports, which ask for many files, have a small tree of their own.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { importRulePlants } from './import-rule-plants.ts';

const root = process.cwd();
let folder: string;
let copy: string;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'hindsight-planted-')));
  copy = join(folder, 'copy');
  const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  });
  for (const file of list.split('\n').filter((each) => each !== '' && existsSync(each))) {
    cpSync(file, join(copy, file), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  execFileSync('git', ['init', '--quiet'], { cwd: copy });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly said: string;
}

/** What `node scripts/run.mjs WHAT` runs, in another folder than this. */
function run(what: string, args: readonly string[], cwd = copy, input?: string): Ended {
  const script = join(copy, 'scripts', `${what}.ts`);
  const tool = existsSync(script) ? script : realpathSync(join(root, 'node_modules/.bin', what));
  const env = { ...process.env, NODE_OPTIONS: '' };
  const options = { cwd, env, input, encoding: 'utf8', maxBuffer: 64 << 20 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, ...args], options);
  return { status, said: stdout + stderr };
}

/** With another text in a file of the copy; null: without the file. */
function planted<T>(file: string, change: (text: string) => string, work: () => T): T {
  const path = join(copy, file);
  const before = existsSync(path) ? readFileSync(path, 'utf8') : null;
  const after = change(before ?? '');
  expect(after).not.toBe(before);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, after);
  try {
    return work();
  } finally {
    if (before === null) rmSync(path);
    else writeFileSync(path, before);
  }
}

/** A step, a file of the copy, and what is changed in it. */
const inCopy: readonly (readonly [
  what: string,
  args: readonly string[],
  file: string,
  change: (text: string) => string,
])[] = [
  ['generate-records', ['--check'], 'schemas/records.ts', (text) => text.replace('readonly', 'readonly  ')],
  [
    'generate-records',
    ['--check'],
    'schemas/avro/Activity.avsc',
    (text) => text.replace('"string"', '"long"'),
  ],
  [
    'generate-readers',
    ['--check'],
    'schemas/in-place/collected-routing.ts',
    (text) => text.replace('readLong', 'skipLong'),
  ],
  ['generate-path', ['--check'], 'services/README.md', (text) => text.replace('merger', 'marger')],
  ['generate-errors', ['--check'], 'docs/errors.md', (text) => text.replace('undecodable', 'unreadable')],
  [
    'generate-dictionary',
    ['--check'],
    'docs/data-dictionary.md',
    (text) => text.replace('A person, now', 'A man'),
  ],
  [
    'build-in-app',
    ['--check'],
    'services/browser/in-app/poll-pace.ts',
    (text) => `${text}\nconsole.log('more');\n`,
  ],
  ['sizes', ['--check'], 'docs/on-site.md', (text) => text.replace(/\| both \| [\d.]+/, '| both | 0.1')],
  [
    'check-rooms',
    [],
    'services/runtime/store/planted.ts',
    () => "import type { A } from '../task/planted.ts';\nexport type B = A;\n",
  ],
  ['check-docs', [], 'docs/spec/merging.md', (text) => text.replace(/“[^”]+”/, '“no test is called this”')],
  ['check-docs', [], 'README.md', (text) => `${text}\n[gone](docs/gone.md)\n`],
  ['check-docs', [], 'services/merger/main.ts', (text) => `${text}\n// ${['sp', 'ec Z.9'].join('')}\n`],
  ['prettier', ['--check', 'services/merger/main.ts'], 'services/merger/main.ts', (text) => `${text}\n\n\n`],
  ['knip', [], 'services/merger/decide/limits.ts', (text) => `${text}\nexport const plantedMax = 1;\n`],
  ['knip', [], 'services/merger/planted.ts', () => 'export const planted = 1;\n'],
  [
    'tsc',
    ['-p', 'planted.json'],
    'services/merger/decide/limits.ts',
    (text) => `${text}\nexport const planted: string = 1;\n`,
  ],
];

describe('a step of npm run check', () => {
  beforeAll(() => {
    // The other half of two shelves that use each other, which alone is an order.
    writeFileSync(
      join(copy, 'services/runtime/task/planted.ts'),
      "import type { B } from '../store/planted.ts';\nexport type A = B;\n",
    );
    const types = {
      extends: './tsconfig.json',
      include: ['services/merger/decide/limits.ts'],
      compilerOptions: { noEmit: true },
    };
    writeFileSync(join(copy, 'planted.json'), JSON.stringify(types));
  });
  afterAll(() => {
    rmSync(join(copy, 'services/runtime/task/planted.ts'));
    rmSync(join(copy, 'planted.json'));
  });

  test.each(inCopy)('%s fails on its fault and says where it is: %j %s', (what, args, file, change) => {
    const { status, said } = planted(file, change, () => run(what, args));
    expect(said).toMatch(/\S/);
    expect([what, status]).not.toEqual([what, 0]);
    expect(said).not.toMatch(/ERR_MODULE_NOT_FOUND|Cannot find module/);
    expect({ what, said }).toEqual({ what, said: expect.stringMatching(placeOf(what, file)) });
  });

  test('there is no step that none of these faults is planted for', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const steps = [...(scripts['check'] ?? '').matchAll(/run(?:\.mjs)? ([\w:-]+)/g)].map(
      ([, step = '']) => step,
    );
    const alike: Readonly<Record<string, string>> = {
      typecheck: 'tsc',
      lint: 'eslint',
      'check:docs': 'check-docs',
    };
    const seen = new Set([...inCopy.map(([what]) => what), 'eslint', 'depcruise']);
    expect(steps.length).toBeGreaterThan(10);
    expect(steps.map((step) => alike[step] ?? step).filter((step) => !seen.has(step))).toEqual([]);
  });
});

/** What the fault is told by: the file, or what is made from it. */
function placeOf(what: string, file: string): RegExp {
  if (what === 'build-in-app') return /services\/browser\/built/;
  if (what === 'generate-records') return /schemas\/records\.ts/;
  return new RegExp(file.replaceAll('.', '\\.'));
}

test('every rule of imports is broken by an import that is planted for it', async () => {
  const config = new URL('../../.dependency-cruiser.mjs', import.meta.url).href;
  const { default: rules } = (await import(config)) as {
    default: { forbidden: readonly { readonly name: string }[] };
  };
  const tree = join(folder, 'imports');
  for (const [file, text] of Object.entries(importRulePlants)) {
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    writeFileSync(join(tree, file), text);
  }
  for (const file of ['.dependency-cruiser.mjs', 'tsconfig.json', 'package.json'])
    cpSync(file, join(tree, file));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  const args = [
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'json',
    'schemas',
    'services',
    'scripts',
  ];
  const { status, said } = run('depcruise', args, tree);
  const { summary } = JSON.parse(said) as { summary: { violations: readonly { rule: { name: string } }[] } };
  const broken = new Set(summary.violations.map(({ rule }) => rule.name));
  expect(rules.forbidden.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
  expect(status === 0 && summary.violations.length === 0).toBe(false);
});

interface Report {
  readonly ruleId: string | null;
  readonly line: number;
  readonly message: string;
}

/** What the linter says of a text that stands in a file's place. */
function linted(file: string, lines: readonly string[]): readonly Report[] {
  const { said } = run(
    'eslint',
    ['--stdin', '--stdin-filename', file, '--format', 'json'],
    root,
    lines.join('\n'),
  );
  const [result] = JSON.parse(said) as readonly { readonly messages: readonly Report[] }[];
  return result?.messages ?? [];
}

describe('the linter', () => {
  test('tells a decider every way to be told by the world', () => {
    const { said } = run('eslint', ['--print-config', 'services/merger/decide/limits.ts'], root);
    const { rules } = JSON.parse(said) as { readonly rules: Readonly<Record<string, readonly unknown[]>> };
    const listed = (rule: string): readonly unknown[] => rules[rule]?.slice(1) ?? [];
    const names = listed('no-restricted-globals').map((each) => (each as { name: string }).name);
    const globals = names.map((name) => `export const ${name}Planted = ${name};`);
    const properties = ['export const drawn = Math.random();', 'export const read = Date.now();'];
    const syntax = [
      'export enum Colour { Red }',
      "export * from './state.ts';",
      'export const now = new Date();',
      'export async function waits(all: AsyncIterable<string>) { await Promise.resolve();',
      '  for await (const one of all) one.trim();',
      "  return import('./state.ts');",
    ];
    const lines = [...globals, ...properties, ...syntax, '}'];
    const reports = linted('services/merger/decide/limits.ts', lines);
    const told = (rule: string): Set<number> =>
      new Set(reports.filter(({ ruleId }) => ruleId === rule).map(({ line }) => line));
    const numbers = (from: number, count: number): number[] =>
      Array.from({ length: count }, (_, at) => from + at + 1);
    expect([...told('no-restricted-globals')]).toEqual(numbers(0, globals.length));
    expect([...told('no-restricted-properties')]).toEqual(numbers(globals.length, properties.length));
    expect([...told('no-restricted-syntax')]).toEqual(
      numbers(globals.length + properties.length, syntax.length),
    );
    expect([names.length, listed('no-restricted-properties').length]).toEqual([
      globals.length,
      properties.length,
    ]);
    expect(listed('no-restricted-syntax')).toHaveLength(syntax.length);
  });

  test('tells of what is too long, too deep and too loose', () => {
    const reports = linted('services/merger/turns.ts', [
      '/* eslint-disable no-alert */',
      'export function many(a: number, b: number, c: number, d: number, e: number) { return a + b + c + d + e; }',
      'export function deep(a: boolean) { if (a) { if (a) { if (a) { if (a) { console.log(a); } } } } }',
      'export const loose = (a: any): string => a!;',
      "export function some(a: 'b' | 'c') { switch (a) { case 'b': return 1; } return 2; }",
      "import { Turns } from './turns.ts'; export type T = Turns;",
      'export function long(a: number) {',
      ...Array.from({ length: 300 }, () => '  a += 1;'),
      '  return a;',
      '}',
    ]);
    expect([...new Set(reports.map(({ ruleId, message }) => ruleId ?? message))]).toEqual(
      expect.arrayContaining([
        expect.stringContaining('Unused eslint-disable directive'),
        '@typescript-eslint/max-params',
        'max-depth',
        'no-console',
        '@typescript-eslint/no-explicit-any',
        '@typescript-eslint/no-non-null-assertion',
        '@typescript-eslint/switch-exhaustiveness-check',
        '@typescript-eslint/consistent-type-imports',
        'max-lines-per-function',
        'max-lines',
      ]),
    );
  });
});
