/**
 * `npm run apply -- DIR`: stores the definitions of a folder, DIR/segments/ID.json, DIR/journeys/ID.json and
 * DIR/messages/ID.json, in that order, and segments behind those that they refer to. A file of such a folder is stored
 * alone. Every file is tried; the exit code is 1 when one was refused. One that is stored and not in force yet says so, and
 * is no failure: nothing has to be sent again. Nothing is removed. What runs from now on, and what was likely not meant so,
 * is told of each.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Behind } from '../schemas/http/app.ts';
import { CodedError } from '../services/runtime/errors.ts';
import { findAppTarget, workspaceOfKey, type AppTarget } from './reach/app-target.ts';
import { runCommand } from './reach/run-command.ts';

const HELP = `npm run apply -- DIR [options]       all of DIR/segments, DIR/journeys and DIR/messages
npm run apply -- DIR/journeys/ID.json [options]   that one alone
  --workspace W   whose definitions (that of HINDSIGHT_APP_KEY, else default)
  --url URL       the installation (what endpoints.json in HINDSIGHT_DATA says)
What a line calls "not in force yet" is stored; GET /health/settled answers 200 when it is in force.
The app key is HINDSIGHT_APP_KEY, else the workspace's in credentials.json in HINDSIGHT_DATA.
`;
const KINDS = ['segments', 'journeys', 'messages'] as const;
/** HINDSIGHT_IN_FORCE_WAIT_MS is at most 30 s. */
const answerMsMax = 45_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workspace: { type: 'string' },
    url: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const [folder] = positionals;
  if (values.help || folder === undefined) {
    process.stdout.write(HELP);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  const found = await filesAt(folder);
  const target = findAppTarget(values.workspace ?? 'default', values.url);
  const workspace = await workspaceOfKey(target, values.workspace);
  process.stdout.write(`into the workspace ${workspace} of ${target.url}:\n`);
  for (const { kind, files } of found) await applyAll(target, kind, files);
}

interface Found {
  readonly kind: (typeof KINDS)[number];
  readonly files: readonly string[];
}

async function filesAt(path: string): Promise<readonly Found[]> {
  const isFile = (await stat(path).catch(() => undefined))?.isFile() === true;
  if (!isFile) {
    const all = KINDS.map(async (kind) => ({ kind, files: await jsonFiles(join(path, kind)) }));
    const found = await Promise.all(all);
    if (found.some(({ files }) => files.length > 0)) return found;
    throw new CodedError('nothing_to_apply', `could not apply ${path}: it holds no definitions`);
  }
  const kind = KINDS.find((each) => each === basename(dirname(resolve(path))));
  if (kind !== undefined && path.endsWith('.json')) return [{ kind, files: [path] }];
  const why = `it is no .json in a folder named ${KINDS.join(', ')}, which says what it is`;
  throw new CodedError('nothing_to_apply', `could not apply ${path}: ${why}`);
}

/** One that refers to a segment which is not there yet is tried again when others have been stored. */
async function applyAll(target: AppTarget, kind: string, files: readonly string[]): Promise<void> {
  let [left, stored] = [files, files.length];
  while (left.length > 0) {
    const mayBeEarly = stored > 0;
    const early: string[] = [];
    stored = 0;
    for (const file of left) {
      const answer = await apply(target, kind, file, mayBeEarly);
      if (answer === 'early') early.push(file);
      else if (answer === 'stored') stored++;
      else process.exitCode = 1;
    }
    left = early;
  }
}

async function apply(
  { url, appKey }: AppTarget,
  kind: string,
  file: string,
  mayBeEarly: boolean,
): Promise<'stored' | 'refused' | 'early'> {
  const id = basename(file, '.json');
  const response = await fetch(`${url}/v1/definitions/${kind}/${encodeURIComponent(id)}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${appKey}`, 'content-type': 'application/json' },
    body: await readFile(file),
    signal: AbortSignal.timeout(answerMsMax),
  });
  const answer = (await response.json()) as {
    version?: number;
    definition?: { state?: string };
    warnings?: readonly { pointer: string; code: string; message: string }[];
    behind?: readonly Behind[];
    errors?: readonly { pointer: string; code: string; message: string }[];
    meta?: { error: string };
  }; // the App API's answers
  if (response.ok) {
    const { version, definition, warnings = [], behind = [] } = answer;
    const state = definition?.state === undefined ? '' : `, ${definition.state}`;
    const late = behind.length === 0 ? '' : `, not in force yet: ${behind.map(tell).join('; ')}`;
    process.stdout.write(`${kind}/${id}: version ${String(version)}${state}${late}\n`);
    for (const warning of warnings) process.stdout.write(lineOf('warning: ', warning));
    return 'stored';
  }
  const { errors = [] } = answer;
  if (mayBeEarly && errors.length > 0 && errors.every(({ code }) => code === 'unknown_segment'))
    return 'early';
  process.stderr.write(`${kind}/${id}: refused (${String(response.status)}) ${answer.meta?.error ?? ''}\n`);
  for (const error of errors) process.stderr.write(lineOf('', error));
  return 'refused';
}

function lineOf(
  kind: string,
  { pointer, message, code }: { readonly pointer: string; readonly message: string; readonly code: string },
): string {
  return `  ${kind}${pointer === '' ? '/' : pointer}: ${message} (${code})\n`;
}

function tell({ service, task, what }: Behind): string {
  return `${service}${task === undefined ? '' : ` task ${String(task)}`} ${what}`;
}

async function jsonFiles(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

await runCommand(main);
