/**
 * Calls made from our own description, by schemathesis, against an installation: with each kind of key, in all its phases.
 * No answer may be a fault of ours, and none may be one that the description does not name.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Keys } from '../../services/testing/stack.ts';

const CHECKS =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
/** Half of the time each, or the values that are tried one by one would leave none for those made by chance. */
const HALVES = ['examples,coverage', 'fuzzing,stateful'] as const;
/** A stream, which ends with its reader. */
const LEFT_OUT = ['/v1/live'];
const ANSWER_S_MAX = 60;
/** After its time the tool tells what it has found. What takes longer hangs, and is ended. */
const TELL_S_MAX = 120;

export interface FuzzOptions {
  readonly tool: string;
  readonly http: string;
  readonly keys: Keys;
  readonly seed: number;
  /** Of each operation, in each of the phases that make any number, before all have had their turn and it begins anew. */
  readonly calls: number;
  /** For each kind of key; what the tool has not tried by then it leaves out, and says so. */
  readonly seconds: number;
  /** Only keys whose kind has this in its name. */
  readonly only: string;
  readonly print: (line: string) => void;
}

/** @returns the kinds of key with which something was answered that may not be. */
export async function fuzz(options: FuzzOptions): Promise<readonly string[]> {
  const { keys, only, print } = options;
  const wrong: string[] = [];
  for (const [kind, authorization] of credentialsOf(keys)) {
    if (!kind.includes(only)) continue;
    const began = performance.now();
    let isGood = true;
    for (const phases of HALVES) {
      print(`\nwith ${kind}: ${phases}`);
      if (!(await ran(options, { authorization, phases }))) isGood = false;
    }
    const tookS = Math.round((performance.now() - began) / 1_000);
    print(`\nwith ${kind}: ${isGood ? 'as described' : 'not as described'}, ${String(tookS)} s`);
    if (!isGood) wrong.push(kind);
  }
  return wrong;
}

function credentialsOf(keys: Keys): readonly (readonly [kind: string, authorization: string | null])[] {
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
  return [
    ['no key', null],
    ['a track key', basic(`${keys.site_id}:${keys.api_key}`)],
    ['a browser key', basic(`${keys.browser_key ?? ''}:`)],
    ['a server key', basic(`${keys.write_key}:`)],
    ['an app key', `Bearer ${keys.app_key}`],
    ['an admin key', `Bearer ${keys.admin_key ?? ''}`],
  ];
}

interface Half {
  readonly authorization: string | null;
  readonly phases: string;
}

async function ran(
  { tool, http, seed, calls, seconds, print }: FuzzOptions,
  { authorization, phases }: Half,
): Promise<boolean> {
  const half = Math.max(1, Math.ceil(seconds / HALVES.length));
  const args = [
    'run',
    `${http}/v1/openapi.json`,
    ...['--checks', CHECKS, '--phases', phases, '--max-examples', String(calls), '--seed', String(seed)],
    ...['--max-time', String(half)],
    ...LEFT_OUT.flatMap((path) => ['--exclude-path', path]),
    ...['--request-timeout', String(ANSWER_S_MAX), '--continue-on-failure', '--no-color'],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--generation-database', 'none'],
    ...(authorization === null ? [] : ['--header', `Authorization: ${authorization}`]),
  ];
  const running = spawn(tool, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const late = setTimeout(() => running.kill('SIGKILL'), (half + TELL_S_MAX) * 1_000);
  const [code] = (await once(running, 'exit')) as [number | null];
  clearTimeout(late);
  if (code === null) print(`it had not ended ${String(TELL_S_MAX)} s after its time`);
  return code === 0;
}
