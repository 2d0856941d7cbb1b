/** Where the running installation is, as `npm start` wrote it down. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '../../services/runtime/errors.ts';

export interface Installation {
  readonly http: string;
  readonly kafka: string;
  readonly registry: string;
  /** URL with user and password. */
  readonly clickhouse: string;
  readonly keys: {
    readonly site_id: string;
    readonly api_key: string;
    readonly write_key: string;
    readonly app_key: string;
  };
}

/** Reads endpoints.json and credentials.json of HINDSIGHT_DATA. */
export function findInstallation(dataFolder: string, workspace: string): Installation {
  const endpoints = readJson(join(dataFolder, 'endpoints.json')) as Omit<Installation, 'keys'>;
  const credentials = readJson(join(dataFolder, 'credentials.json')) as Readonly<
    Record<string, Installation['keys']>
  >;
  const keys = credentials[workspace];
  if (keys === undefined) {
    throw new CodedError(
      'workspace_unknown',
      `could not find keys of workspace ${workspace} in ${dataFolder}/credentials.json`,
    );
  }
  return { ...endpoints, keys };
}

/** Waits until everything acknowledged so far has had its whole effect. */
export async function waitUntilSettled(
  { http }: Pick<Installation, 'http'>,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = '';
  while (Date.now() < deadline) {
    // As long as there is time: a slow machine answers late, which is no reason to give up.
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(deadline - Date.now())));
    try {
      const answer = await fetch(`${http}/health/settled`, { signal });
      last = await answer.text();
      if (answer.status === 200) return;
    } catch (error) {
      if (!signal.aborted) throw error;
      last = `no answer ${last}`;
    }
    await sleep(100);
  }
  throw new CodedError(
    'not_settled',
    `could not wait any longer: after ${String(timeoutMs)} ms still ${last}`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CodedError('not_running', `could not read ${path}`, { cause });
  }
}
