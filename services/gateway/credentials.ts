/**
 * Keys of the workspaces. They lie in `credentials.json` (mode 600: {workspace: {site_id, api_key, write_key, app_key}};
 * `default` also holds the installation's `admin_key`), which is the only place where they can be read; in memory they
 * are digests, compared in constant time. No key is ever on a topic.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { Env } from '../runtime/config.ts';
import { CodedError } from '../runtime/errors.ts';

export interface WorkspaceKeys {
  readonly site_id: string;
  readonly api_key: string;
  readonly write_key: string;
  readonly app_key: string;
  /** On `default` only: creates workspaces. */
  readonly admin_key?: string;
}
export type CredentialsFile = Readonly<Record<string, WorkspaceKeys>>;

const DEFAULT = 'default';
const SAMPLE = 'sample';
export const workspacesMax = 10_000;

export interface Credentials {
  /** The public name of a site, which lets pages ask for its messages and nothing else. */
  site(siteId: string): Workspace | undefined;
  track(siteId: string, apiKey: string): Workspace | undefined;
  pipelines(writeKey: string): Workspace | undefined;
  app(appKey: string): Workspace | undefined;
  isAdmin(key: string): boolean;
  has(workspace: Workspace): boolean;
  /**
   * The keys of the workspace, which are made and kept when it has none. Nothing is awaited in between, so of many calls
   * at once one makes them.
   */
  ensure(workspace: Workspace): WorkspaceKeys;
}

/** Reads the file, adding what is missing: `default` (its keys from the environment where set) and `sample`. */
export function ensureCredentials(dataFolder: string, env: Env): Credentials {
  const path = join(dataFolder, 'credentials.json');
  const known = readFile(path);
  const own: WorkspaceKeys = { ...newKeys(), admin_key: newKey('admin'), ...known[DEFAULT], ...keysOf(env) };
  const file: CredentialsFile = { ...known, [DEFAULT]: own, [SAMPLE]: known[SAMPLE] ?? newKeys() };
  if (JSON.stringify(file) !== JSON.stringify(known)) writeFile(dataFolder, path, file);
  const table = new KeyTable(file);
  return {
    site: (siteId) => table.site(siteId),
    track: (siteId, apiKey) => table.track(siteId, apiKey),
    pipelines: (writeKey) => table.find('write_key', writeKey),
    app: (appKey) => table.find('app_key', appKey),
    isAdmin: (key) => table.find('admin_key', key) !== undefined,
    has: (workspace) => Object.hasOwn(readFile(path), workspace),
    ensure: (workspace) => {
      const before = readFile(path);
      const found = Object.hasOwn(before, workspace) ? before[workspace] : undefined;
      if (found !== undefined) return found;
      if (Object.keys(before).length >= workspacesMax) {
        throw new CodedError(
          'too_many_workspaces',
          `could not create ${workspace}: there are too many workspaces`,
        );
      }
      const keys = newKeys();
      writeFile(dataFolder, path, { ...before, [workspace]: keys });
      table.add(workspace, keys);
      return keys;
    },
  };
}

type KeyField = 'write_key' | 'app_key' | 'admin_key';
interface Digest {
  readonly workspace: Workspace;
  readonly digest: Buffer;
}

/** Found by the first bytes of the digest, which say nothing of the key; then compared whole. */
class KeyTable {
  readonly #keys = new Map<string, Digest>();
  readonly #sites = new Map<string, Digest>();

  constructor(file: CredentialsFile) {
    for (const [workspace, keys] of Object.entries(file)) this.add(toWorkspace(workspace), keys);
  }

  add(workspace: Workspace, keys: WorkspaceKeys): void {
    this.#sites.set(keys.site_id, { workspace, digest: digestOf(keys.api_key) });
    for (const field of ['write_key', 'app_key', 'admin_key'] as const) {
      const key = keys[field];
      if (key === undefined) continue;
      const digest = digestOf(key);
      this.#keys.set(slot(field, digest), { workspace, digest });
    }
  }

  site(siteId: string): Workspace | undefined {
    return this.#sites.get(siteId)?.workspace;
  }

  track(siteId: string, apiKey: string): Workspace | undefined {
    const entry = this.#sites.get(siteId);
    return matched(entry, digestOf(apiKey));
  }

  find(field: KeyField, key: string): Workspace | undefined {
    const digest = digestOf(key);
    return matched(this.#keys.get(slot(field, digest)), digest);
  }
}

function matched(entry: Digest | undefined, digest: Buffer): Workspace | undefined {
  return entry !== undefined && timingSafeEqual(entry.digest, digest) ? entry.workspace : undefined;
}

function slot(field: KeyField, digest: Buffer): string {
  return `${field}/${digest.toString('hex', 0, 8)}`;
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

function newKeys(): WorkspaceKeys {
  return {
    site_id: newKey('site'),
    api_key: newKey('api'),
    write_key: newKey('write'),
    app_key: newKey('app'),
  };
}

const KEY_BYTES = 20;
function newKey(prefix: string): string {
  return `${prefix}_${randomBytes(KEY_BYTES).toString('hex')}`;
}

function keysOf(env: Env): Partial<WorkspaceKeys> {
  const entries = [
    ['site_id', env.HINDSIGHT_SITE_ID],
    ['api_key', env.HINDSIGHT_API_KEY],
    ['write_key', env.HINDSIGHT_WRITE_KEY],
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
  writeFileSync(draft, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}
