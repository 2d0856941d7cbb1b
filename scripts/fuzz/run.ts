/**
 * Calls made from our own description, by schemathesis, against an installation: with each kind of key, in all its phases.
 * No answer may be a fault of ours, and none may be one that the description does not name.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Keys } from '../../services/testing/stack.ts';

const CHECKS =
  'not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance';
const PHASES = 'examples,coverage,fuzzing,stateful';
/** A stream, which ends with its reader. */
const LEFT_OUT = ['/v1/live'];
const ANSWER_S_MAX = 60;

export interface FuzzOptions {
  readonly tool: string;
  readonly http: string;
  readonly keys: Keys;
  readonly seed: number;
  /** Of each operation, in each of the phases that make any number. */
  readonly calls: number;
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
    print(`\nwith ${kind}`);
    if (!(await ran(options, authorization))) wrong.push(kind);
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

async function ran({ tool, http, seed, calls }: FuzzOptions, authorization: string | null): Promise<boolean> {
  const args = [
    'run',
    `${http}/v1/openapi.json`,
    ...['--checks', CHECKS, '--phases', PHASES, '--max-examples', String(calls), '--seed', String(seed)],
    ...LEFT_OUT.flatMap((path) => ['--exclude-path', path]),
    ...['--request-timeout', String(ANSWER_S_MAX), '--continue-on-failure', '--no-color'],
    ...['--suppress-health-check', 'all', '--warnings', 'off', '--generation-database', 'none'],
    ...(authorization === null ? [] : ['--header', `Authorization: ${authorization}`]),
  ];
  const running = spawn(tool, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(running, 'exit')) as [number | null];
  return code === 0;
}
