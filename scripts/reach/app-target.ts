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
