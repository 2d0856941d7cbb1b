/**
 * `credentials.json` (mode 600: {workspace: {site_id, api_key, browser_key, write_key, app_key}}; `default` also holds the
 * installation's `admin_key`): the first keys of an installation, for its owner to read. Keys of other workspaces are
 * shown once, when they are made, and kept as digests (keys/keys-log.ts). No key is ever on a topic.
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toWorkspace } from '../../schemas/ids.ts';
import type { KeyKind } from '../runtime/caller.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';
import type { FileKey } from './keys/key-ring.ts';
import { digestOf, doorOf, keyIdOf, newCredentials, secretOf, type Credentials } from './keys/secrets.ts';

/** An earlier version wrote no browser_key. */
export interface WorkspaceKeys {
  readonly site_id: string;
  readonly api_key: string;
  readonly browser_key?: string;
  readonly write_key: string;
  readonly app_key: string;
  /** On `default` only: creates workspaces. */
  readonly admin_key?: string;
}
export type CredentialsFile = Readonly<Record<string, WorkspaceKeys>>;

const DEFAULT = 'default';
const SAMPLE = 'sample';
const PRIVATE = 0o600;
const kinds: readonly KeyKind[] = ['track', 'browser', 'server', 'app', 'admin'];

/** Reads the file, adding what is missing: `default` (its keys from the environment where set) and `sample`. */
export function ensureCredentials(dataFolder: string, env: Env): CredentialsFile {
  const path = pathIn(dataFolder);
  const known = readFile(path);
  const own: WorkspaceKeys = { ...newKeys(), ...newCredentials('admin'), ...known[DEFAULT], ...keysOf(env) };
  const sample: WorkspaceKeys = { ...newKeys(), ...known[SAMPLE] };
  const file: CredentialsFile = { ...known, [DEFAULT]: own, [SAMPLE]: sample };
  if (JSON.stringify(file) !== JSON.stringify(known)) writeFile(dataFolder, path, file);
  else if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, PRIVATE);
  return file;
}

/** What the front page shows of a workspace to who signed in with a code: all but the installation's own. */
export type PageKeys = Omit<WorkspaceKeys, 'admin_key'>;

export function keysForPages(dataFolder: string): Readonly<Record<string, PageKeys>> {
  return Object.fromEntries(
    Object.entries(readFile(pathIn(dataFolder))).map(([name, keys]) => [
      name,
      Object.fromEntries(Object.entries(keys).filter(([each]) => each !== 'admin_key')) as PageKeys, // the other names
    ]),
  );
}

/** Of the page /demo, as they are now: a key may have been rotated. */
export function sampleKeys(dataFolder: string, env: Env): WorkspaceKeys & { readonly browser_key: string } {
  const { [SAMPLE]: sample } = ensureCredentials(dataFolder, env);
  if (sample?.browser_key === undefined)
    throw new CodedError(
      'credentials_unreadable',
      `could not read ${pathIn(dataFolder)}: it lacks keys of ${SAMPLE}`,
    );
  return { ...sample, browser_key: sample.browser_key };
}

export function keysInFile(file: CredentialsFile): readonly FileKey[] {
  return Object.entries(file).flatMap(([name, credentials]) =>
    kinds.flatMap((kind): FileKey[] => {
      const secret = secretOf(kind, credentials);
      if (secret === undefined) return [];
      const workspace = kind === 'admin' ? null : toWorkspace(name);
      return [{ kind, workspace, secret, siteId: kind === 'track' ? credentials.site_id : null }];
    }),
  );
}

/** Where the key that was rotated stands in the file, the new one stands in its place: what reads the file goes on working. */
export function replaceInFile(dataFolder: string, keyId: string, credentials: Credentials): void {
  const path = pathIn(dataFolder);
  const file = readFile(path);
  const holder = Object.entries(file).find(([, keys]) =>
    kinds.some((kind) => {
      const secret = secretOf(kind, keys);
      return secret !== undefined && keyIdOf(digestOf(doorOf(kind), secret)) === keyId;
    }),
  );
  if (holder === undefined) return;
  const [name, keys] = holder;
  writeFile(dataFolder, path, { ...file, [name]: { ...keys, ...credentials } });
}

function pathIn(dataFolder: string): string {
  return join(dataFolder, 'credentials.json');
}

function newKeys(): WorkspaceKeys {
  const all = (['track', 'browser', 'server', 'app'] as const).map((kind) => newCredentials(kind));
  return Object.assign({}, ...all) as WorkspaceKeys; // the four kinds have its five names
}

function keysOf(env: Env): Partial<WorkspaceKeys> {
  const entries = [
    ['site_id', env.HINDSIGHT_SITE_ID],
    ['api_key', env.HINDSIGHT_API_KEY],
    ['write_key', env.HINDSIGHT_WRITE_KEY],
    ['browser_key', env.HINDSIGHT_BROWSER_KEY],
    ['app_key', env.HINDSIGHT_APP_KEY],
    ['admin_key', env.HINDSIGHT_ADMIN_KEY],
  ].filter(([, value]) => value !== undefined && value !== '');
  return Object.fromEntries(entries) as Partial<WorkspaceKeys>; // the names above
}

function readFile(path: string): CredentialsFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new CodedError('credentials_unreadable', `could not read ${path}: ${String(error)}`, {
      cause: error,
    });
  }
  try {
    return JSON.parse(text) as CredentialsFile; // written by this module alone
  } catch (error) {
    throw new CodedError('credentials_unreadable', `could not read ${path}: it is not JSON`, {
      cause: error,
    });
  }
}

/** Renamed into place, so that a reader never meets half a file. */
function writeFile(folder: string, path: string, file: CredentialsFile): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = `${path}.${String(process.pid)}`;
  writeFileSync(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: PRIVATE });
  renameSync(draft, path);
}
