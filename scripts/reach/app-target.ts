/** Where a command finds the App API: an address and the app key of a workspace. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError } from '../../services/runtime/errors.ts';

export interface AppTarget {
  readonly url: string;
  readonly appKey: string;
}

/**
 * @param url in the place of endpoints.json.
 * @throws CodedError `not_found`: nothing has run here; `workspace_unknown`: the workspace has no app key in credentials.json,
 * where only those stand that `npm start` has made.
 */
export function findAppTarget(workspace: string, url: string | undefined): AppTarget {
  const folder = process.env['HINDSIGHT_DATA'] ?? '.hindsight';
  const address = url ?? textIn(readJson(join(folder, 'endpoints.json')), 'http');
  if (address === undefined) {
    throw new CodedError('not_found', `could not find the installation in ${folder}`, {
      hint: 'Start it with npm start, or say where it is: --url or HINDSIGHT_DATA.',
    });
  }
  const keys = memberOf(readJson(join(folder, 'credentials.json')), workspace);
  const appKey = process.env['HINDSIGHT_APP_KEY'] ?? textIn(keys, 'app_key');
  if (appKey === undefined) {
    throw new CodedError(
      'workspace_unknown',
      `could not find an app key of workspace ${workspace} in ${folder}/credentials.json`,
      {
        hint: 'Keys of a workspace made by PUT /v1/workspaces are shown once and not kept there: HINDSIGHT_APP_KEY has it, else make one with POST /v1/keys.',
      },
    );
  }
  return { url: address, appKey };
}

/**
 * Whose key that is: HINDSIGHT_APP_KEY may be of another workspace than the one that is meant.
 * @param meant undefined: none was named.
 * @throws CodedError `workspace_unknown`: it is not the one that is meant; `app_refused`: the key lets nobody in.
 */
export async function workspaceOfKey({ url, appKey }: AppTarget, meant: string | undefined): Promise<string> {
  const response = await fetch(`${url}/v1/keys`, { headers: { authorization: `Bearer ${appKey}` } });
  const text = await response.text();
  const found = /"workspace":"([^"]+)"/.exec(text)?.[1];
  if (!response.ok || found === undefined) {
    throw new CodedError(
      'app_refused',
      `could not ask whose key it is (${String(response.status)}): ${text}`,
    );
  }
  if (meant !== undefined && found !== meant) {
    throw new CodedError(
      'workspace_unknown',
      `could not go on: the app key is of ${found}, not of ${meant}`,
      {
        hint: `Put a key of ${meant} into HINDSIGHT_APP_KEY, or say --workspace ${found}.`,
      },
    );
  }
  return found;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // absent: the caller says what to do
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textIn(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name);
  return typeof text === 'string' ? text : undefined;
}
