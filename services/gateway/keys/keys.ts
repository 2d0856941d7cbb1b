/**
 * The keys of the installation as its routes use them: found, listed, made, rotated and revoked. What is changed goes
 * through `write`, which ends when the ring of this gateway has it; other gateways have it a moment later.
 */
import { keyChange } from '../../../schemas/key-change.ts';
import type { KeyChange } from '../../../schemas/records.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import type { KeyDescription, KeyMaking, KeysFull, KeyStore, MadeKey } from '../../app/ports.ts';
import type { KeyKind, KnownKey } from '../../runtime/caller.ts';
import { CodedError } from '../../runtime/errors.ts';
import { madeOfFile, type Key, type KeyRing, type KeyState } from './key-ring.ts';
import {
  digestOf,
  doorOf,
  keyIdOf,
  newCredentials,
  secretOf,
  type Credentials,
  type Door,
} from './secrets.ts';

export const workspacesMax = 10_000;
/** Of a workspace, that work. */
export const activeKeysMax = 100;
/** Of a workspace, that have ended and are still listed. */
export const endedKeysMax = 100;
/** Made or rotated, of a workspace on a day (UTC): what is said of a key stays on the topic. */
export const keysMadeADayMax = 1_000;
/** The answers to calls that made one workspace at the same time tell the same keys; later ones tell none. */
const freshMs = 60_000;
const freshWorkspacesMax = 1_000;
/** Last use is written at most so often for each key. */
export const usePauseMs = 3_600_000;

export interface KeysOptions {
  readonly ring: KeyRing;
  /** Ends when the ring has the change. */
  readonly write: (change: KeyChange) => Promise<void>;
  /** Not waited for, and may be lost. */
  readonly writeUse: (change: KeyChange) => void;
  /** @param workspace whose keys they are; null: the installation's. */
  readonly inTurn: <T>(work: () => Promise<T>, workspace: Workspace | null) => Promise<T>;
  /** Puts new credentials where credentials.json has the ones of this key. */
  readonly replaceInFile: (keyId: string, credentials: Credentials) => void;
  /** ms */
  readonly now: () => number;
}

const workspaceKinds: readonly KeyKind[] = ['track', 'browser', 'server', 'app'];

export class Keys implements KeyStore {
  readonly #options: KeysOptions;
  readonly #ring: KeyRing;
  /** Secrets of workspaces that have just been made. */
  readonly #fresh = new Map<Workspace, Credentials>();
  /** ms; by key, when its use was last written by this gateway. Only keys that are known get in. */
  readonly #useWrittenAt = new Map<string, number>();

  constructor(options: KeysOptions) {
    this.#options = options;
    this.#ring = options.ring;
  }

  find(door: Door, secret: string): KnownKey | undefined {
    const now = this.#options.now();
    const key = this.#ring.find(door, secret, now);
    if (key !== undefined) this.#noteUse(key.id, now);
    return key;
  }
  /** Also a key that has ended, which lets nobody in; its use is not noted. */
  shown<D extends Door>(door: D, secret: string) {
    const state = this.#ring.shown(door, secret, this.#options.now());
    return state === undefined ? undefined : { key: state.key, door, active: state.active };
  }
  /** The public name of a site, which lets pages ask for its messages and nothing else. */
  site(siteId: string): Workspace | undefined {
    return this.#ring.site(siteId, this.#options.now());
  }
  track(siteId: string, apiKey: string): Workspace | undefined {
    return this.find('track', `${siteId}:${apiKey}`)?.workspace ?? undefined;
  }
  pipelines(writeKey: string): Workspace | undefined {
    return this.find('write', writeKey)?.workspace ?? undefined;
  }
  app(appKey: string): Workspace | undefined {
    return this.find('app', appKey)?.workspace ?? undefined;
  }
  isAdmin(key: string): boolean {
    return this.find('admin', key) !== undefined;
  }
  has(workspace: Workspace): boolean {
    return this.#ring.has(workspace);
  }

  list(workspace: Workspace | null): readonly KeyDescription[] {
    return this.#ring.list(workspace, this.#options.now()).map(describe);
  }
  get(id: string): KeyDescription | undefined {
    const state = this.#ring.get(id, this.#options.now());
    return state === undefined ? undefined : describe(state);
  }

  /** Of many calls at once one makes them, and all are told the same; undefined: they were made before. */
  ensure(workspace: Workspace): Promise<Credentials | undefined> {
    return this.#options.inTurn(async () => {
      const fresh = this.#fresh.get(workspace);
      if (fresh !== undefined || this.has(workspace)) return fresh;
      if (this.#ring.workspaces >= workspacesMax) {
        const message = `could not create ${workspace}: there are too many workspaces`;
        throw new CodedError('too_many_workspaces', message);
      }
      let credentials: Credentials = {};
      for (const kind of workspaceKinds) {
        const made = await this.#make({ workspace, kind, name: 'first', by: '' });
        credentials = { ...credentials, ...made.credentials };
      }
      this.#remember(workspace, credentials);
      return credentials;
    }, workspace);
  }

  make(making: KeyMaking): Promise<MadeKey | KeysFull> {
    const { workspace } = making;
    return this.#options.inTurn(
      async () => this.#full(workspace, activeKeysMax) ?? (await this.#make(making)),
      workspace,
    );
  }

  /** Why there is no room for one more key; undefined: there is. */
  #full(workspace: Workspace | null, activeMax: number): KeysFull | undefined {
    const now = this.#options.now();
    if (this.#ring.madeOnDay(workspace, now) >= keysMadeADayMax) return 'too_many_today';
    return this.list(workspace).filter((key) => key.active).length >= activeMax ? 'too_many' : undefined;
  }

  rotate(id: string, validMs: number, by: string): Promise<MadeKey | KeysFull | undefined> {
    return this.#options.inTurn(async () => {
      const now = this.#options.now();
      const state = this.#ring.get(id, now);
      if (state?.active !== true) return undefined;
      const { kind, workspace, name, siteId } = state.key;
      // Each may have its successor beside it; more than one of a key, and they are as many as anybody likes.
      const full = this.#full(workspace, 2 * activeKeysMax);
      if (full !== undefined) return full;
      const made = await this.#make({ workspace, kind, name, by }, siteId);
      await this.#tellOf(state.key);
      await this.#options.write(keyChange({ key_id: id, change: 'expires', at: now + validMs, by }));
      this.#options.replaceInFile(id, made.credentials);
      await this.#forgetOldest(workspace);
      return made;
    }, this.#ownerOf(id));
  }

  revoke(id: string, by: string): Promise<KeyDescription | undefined> {
    return this.#options.inTurn(async () => {
      const state = this.#ring.get(id, this.#options.now());
      if (state === undefined || state.revokedAt !== undefined) return this.get(id);
      await this.#tellOf(state.key);
      await this.#options.write(keyChange({ key_id: id, change: 'revoked', at: this.#options.now(), by }));
      const revoked = this.get(id);
      await this.#forgetOldest(revoked?.workspace ?? null);
      return revoked;
    }, this.#ownerOf(id));
  }

  #ownerOf(id: string): Workspace | null {
    return this.#ring.get(id, this.#options.now())?.key.workspace ?? null;
  }

  async #make({ workspace, kind, name, by }: KeyMaking, siteId: string | null = null): Promise<MadeKey> {
    const credentials = newCredentials(kind, siteId);
    const digest = digestOf(doorOf(kind), secretOf(kind, credentials) ?? '');
    const id = keyIdOf(digest);
    const made = { change: 'made', at: this.#options.now(), by, kind, name, digest } as const;
    const named = { workspace: workspace ?? '', site_id: credentials.site_id ?? null };
    await this.#options.write(keyChange({ key_id: id, ...made, ...named }));
    const key = this.get(id);
    if (key === undefined) throw new CodedError('key_lost', 'could not make a key: it was not read back');
    return { key, credentials };
  }

  /**
   * Of a key of credentials.json, whose place there another takes, the topic has to know what it is: else it would be
   * unknown from the next start on, and not work on for as long as it was to.
   */
  async #tellOf(key: Key): Promise<void> {
    if (key.madeAt === null) await this.#options.write(madeOfFile(key, this.#options.now()));
  }

  async #forgetOldest(workspace: Workspace | null): Promise<void> {
    const all = this.#ring.list(workspace, this.#options.now());
    const ended = all.filter(({ key, active }) => !active && !key.isOfFile);
    for (const {
      key: { id },
    } of ended.slice(0, Math.max(0, ended.length - endedKeysMax))) {
      await this.#options.write(keyChange({ key_id: id, change: 'forgotten', at: this.#options.now() }));
    }
  }

  #remember(workspace: Workspace, credentials: Credentials): void {
    if (this.#fresh.size >= freshWorkspacesMax) return;
    this.#fresh.set(workspace, credentials);
    setTimeout(() => {
      this.#fresh.delete(workspace);
    }, freshMs).unref();
  }

  #noteUse(id: string, now: number): void {
    const last = Math.max(this.#useWrittenAt.get(id) ?? 0, this.#ring.usedAt(id) ?? 0);
    if (now - last < usePauseMs) return;
    this.#useWrittenAt.set(id, now);
    this.#options.writeUse(keyChange({ key_id: id, change: 'used', at: now }));
  }
}

function describe({ key, active, revokedAt, expiresAt, usedAt }: KeyState): KeyDescription {
  const time = (ms: number | null | undefined) =>
    ms === null || ms === undefined ? null : new Date(ms).toISOString();
  return {
    id: key.id,
    kind: key.kind,
    workspace: key.workspace,
    name: key.name,
    site_id: key.siteId,
    active,
    created_at: time(key.madeAt),
    last_used_at: time(usedAt),
    expires_at: time(expiresAt),
    revoked_at: time(revokedAt),
  };
}
