/**
 * `npm run apply -- DIR`: stores the definitions of a folder, DIR/segments/ID.json and DIR/journeys/ID.json, in that
 * order. Every file is tried; the exit code is 1 when one was refused. One that is stored and not in force yet says so,
 * and is no failure: nothing has to be sent again. Nothing is removed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Behind } from '../schemas/http/app.ts';
import { CodedError } from '../services/runtime/errors.ts';

const HELP = `npm run apply -- DIR [options]
  --workspace W   whose definitions (default)
  --url URL       the installation (what endpoints.json in HINDSIGHT_DATA says)
What a line calls "not in force yet" is stored; GET /health/settled answers 200 when it is in force.
The app key is HINDSIGHT_APP_KEY, else the workspace's in credentials.json in HINDSIGHT_DATA.
`;
const KINDS = ['segments', 'journeys'] as const;
/** HINDSIGHT_IN_FORCE_WAIT_MS is at most 30 s. */
const answerMsMax = 45_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workspace: { type: 'string', default: 'default' },
    url: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

interface Target {
  readonly url: string;
  readonly appKey: string;
}

async function main(): Promise<void> {
  const [folder] = positionals;
  if (values.help || folder === undefined) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const target = await findTarget();
  let files = 0;
  for (const kind of KINDS) {
    for (const file of await jsonFiles(join(folder, kind))) {
      files++;
      if (!(await apply(target, kind, file))) process.exitCode = 1;
    }
  }
  if (files === 0) {
    throw new CodedError('nothing_to_apply', `could not apply ${folder}: it holds no definitions`);
  }
}

async function apply({ url, appKey }: Target, kind: string, file: string): Promise<boolean> {
  const id = basename(file, '.json');
  const response = await fetch(`${url}/v1/definitions/${kind}/${encodeURIComponent(id)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${appKey}`, 'content-type': 'application/json' },
    body: await readFile(file),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer = (await response.json()) as {
    version?: number;
    behind?: readonly Behind[];
    errors?: readonly { pointer: string; code: string; message: string }[];
    meta?: { error: string };
  }; // the App API's answers
  if (response.ok) {
    const { version, behind = [] } = answer;
    const late = behind.length === 0 ? '' : `, not in force yet: ${behind.map(tell).join('; ')}`;
    process.stdout.write(`${kind}/${id}: version ${String(version)}${late}\n`);
    return true;
  }
  process.stderr.write(`${kind}/${id}: refused (${String(response.status)}) ${answer.meta?.error ?? ''}\n`);
  for (const { pointer, message, code } of answer.errors ?? []) {
    process.stderr.write(`  ${pointer === '' ? '/' : pointer}: ${message} (${code})\n`);
  }
  return false;
}

function tell({ service, task, what }: Behind): string {
  return `${service}${task === undefined ? '' : ` task ${String(task)}`} ${what}`;
}

async function findTarget(): Promise<Target> {
  const folder = process.env['HINDSIGHT_DATA'] ?? '.hindsight';
  const url = values.url ?? textIn(await readJson(join(folder, 'endpoints.json')), 'http');
  const appKey =
    process.env['HINDSIGHT_APP_KEY'] ??
    textIn(objectIn(await readJson(join(folder, 'credentials.json')), values.workspace), 'app_key');
  if (url === undefined || appKey === undefined) {
    throw new CodedError('not_found', `could not find the installation in ${folder}`);
  }
  return { url, appKey };
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined; // absent: the caller says what to do
  }
}

function objectIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textIn(value: unknown, name: string): string | undefined {
  const text = objectIn(value, name);
  return typeof text === 'string' ? text : undefined;
}

async function jsonFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

try {
  await main();
} catch (error) {
  const hint = error instanceof CodedError ? (error.hint ?? '') : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}. ${hint}\n`);
  process.exitCode = 1;
}
