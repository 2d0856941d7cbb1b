/**
 * The keys of an installation, folded from `keys.changed` and from credentials.json of this gateway. Changes only ever
 * take away (a key that was revoked stays so, of two ends the earlier one counts), so it does not matter in which order
 * two gateways wrote them, nor what compaction has left out.
 */
import { timingSafeEqual } from 'node:crypto';
import { toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import { keyChange } from '../../../schemas/key-change.ts';
import type { KeyChange } from '../../../schemas/records.ts';
import type { KeyKind, KnownKey } from '../../runtime/caller.ts';
import { RecentMap } from '../../runtime/recent-map.ts';
import { DayCounts } from '../usage/day-counts.ts';
import { digestOf, doorOf, keyIdOf, type Door } from './secrets.ts';

export interface Key extends KnownKey {
  readonly name: string;
  readonly siteId: string | null;
  readonly digest: Buffer;
  /** ms; null: it stands in credentials.json of this gateway, and nothing was said of it. */
  readonly madeAt: number | null;
  /** It stood in credentials.json of some gateway, and may stand there still: what was said of it is never forgotten. */
  readonly isOfFile: boolean;
}

/** Who made a key that stood in credentials.json, on the topic. */
export const OF_FILE = 'credentials.json';

/** What was said of a key, also of one that this gateway does not have. */
interface Ending {
  revokedAt: number | undefined;
  expiresAt: number | undefined;
  usedAt: number | undefined;
}

export interface KeyState extends Readonly<Ending> {
  readonly key: Key;
  /** Works now. */
  readonly active: boolean;
}

export interface FileKey {
  readonly kind: KeyKind;
  readonly workspace: Workspace | null;
  readonly secret: string;
  readonly siteId: string | null;
}

/** What the topic is told of a key that it does not know, so that all gateways do, and this one after its next start. */
export function madeOfFile({ id, kind, workspace, siteId, digest }: Key, at: number): KeyChange {
  const named = { workspace: workspace ?? '', site_id: siteId, name: OF_FILE };
  return keyChange({ key_id: id, change: 'made', at, by: OF_FILE, kind, digest, ...named });
}

const nothing: Readonly<Ending> = { revokedAt: undefined, expiresAt: undefined, usedAt: undefined };

/** Of secrets that were found: twice as many at most. Who guesses gets no place. */
const foundKeysMax = 1_000;

export class KeyRing {
  readonly #keys = new Map<string, Key>();
  readonly #endings = new Map<string, Ending>();
  /** By workspace; '' has those of the whole installation. */
  readonly #byWorkspace = new Map<string, Set<string>>();
  /** Keys of a site id, which is public and stays when its key is rotated. */
  readonly #bySite = new Map<string, Set<string>>();

  /** Keys, also those that are forgotten since. */
  readonly #made = new DayCounts();

  /** By door and secret, as calls bring them, so that a call costs no digest. In memory only, as the call itself is. */
  readonly #found = new RecentMap<string, Key>(foundKeysMax);

  apply(record: KeyChange): void {
    const { key_id: id, change, at } = record;
    switch (change) {
      case 'made':
        this.#make(record);
        return;
      case 'expires':
        this.#ending(id).expiresAt = Math.min(this.#ending(id).expiresAt ?? Infinity, at);
        return;
      case 'revoked':
        this.#ending(id).revokedAt ??= at;
        return;
      case 'used':
        this.#ending(id).usedAt = Math.max(this.#ending(id).usedAt ?? 0, at);
        return;
      case 'forgotten':
        this.#forget(id);
        return;
      case 'unknown':
        return; // of a newer version
    }
  }

  /** Of credentials.json. Not found there any more, a key is not known any more. */
  addFromFile({ kind, workspace, secret, siteId }: FileKey): Key {
    const digest = digestOf(doorOf(kind), secret);
    const id = keyIdOf(digest);
    const known = this.#keys.get(id);
    if (known !== undefined) return this.#add({ ...known, isOfFile: true });
    const key = { id, kind, workspace, name: OF_FILE, siteId, digest, madeAt: null, isOfFile: true };
    return this.#add(key);
  }

  /** @param secret as it was sent. @param now ms. */
  find(door: Door, secret: string, now: number): Key | undefined {
    const name = `${door}:${secret}`;
    const found = this.#found.get(name);
    const isThere = found !== undefined && this.#keys.get(found.id) === found;
    const key = isThere ? found : this.#search(door, secret);
    if (key === undefined) return undefined;
    if (!isThere) this.#found.set(name, key);
    return this.#isActive(key.id, now) ? key : undefined;
  }

  /** Also one that has ended. */
  shown(door: Door, secret: string, now: number): KeyState | undefined {
    const key = this.#search(door, secret);
    return key === undefined ? undefined : this.get(key.id, now);
  }

  get(id: string, now: number): KeyState | undefined {
    const key = this.#keys.get(id);
    if (key === undefined) return undefined;
    return { key, ...(this.#endings.get(id) ?? nothing), active: this.#isActive(id, now) };
  }

  /** Oldest first; those of credentials.json before the others. */
  list(workspace: Workspace | null, now: number): readonly KeyState[] {
    return [...(this.#byWorkspace.get(workspace ?? '') ?? [])]
      .flatMap((id) => this.get(id, now) ?? [])
      .sort((a, b) => (a.key.madeAt ?? 0) - (b.key.madeAt ?? 0) || (a.key.id < b.key.id ? -1 : 1));
  }

  has(workspace: Workspace): boolean {
    return this.#byWorkspace.has(workspace);
  }
  /** Of the site whose key works. */
  site(siteId: string, now: number): Workspace | undefined {
    for (const id of this.#bySite.get(siteId) ?? []) {
      const key = this.#keys.get(id);
      if (key !== undefined && key.workspace !== null && this.#isActive(id, now)) return key.workspace;
    }
    return undefined;
  }
  get workspaces(): number {
    return this.#byWorkspace.size - (this.#byWorkspace.has('') ? 1 : 0);
  }
  /** @param now ms, on the day (UTC) that is asked about. */
  madeOnDay(workspace: Workspace | null, now: number): number {
    return this.#made.of(workspace ?? '', now);
  }
  isRevoked(id: string): boolean {
    return this.#endings.get(id)?.revokedAt !== undefined;
  }
  usedAt(id: string): number | undefined {
    return this.#endings.get(id)?.usedAt;
  }

  #search(door: Door, secret: string): Key | undefined {
    const digest = digestOf(door, secret);
    const key = this.#keys.get(keyIdOf(digest));
    // Found by some bytes of the digest, which say nothing of the secret; then compared whole, in constant time.
    return key !== undefined && timingSafeEqual(key.digest, digest) ? key : undefined;
  }

  #make({ key_id: id, kind, workspace, name, site_id: siteId, digest, at, by }: KeyChange): void {
    if (kind === 'unknown' || digest === null) return; // of a newer version
    const known = this.#keys.get(id);
    if (known !== undefined && known.madeAt !== null) return;
    this.#made.add(workspace, at, 1);
    const owner = workspace === '' ? null : toWorkspace(workspace);
    const isOfFile = by === OF_FILE || known !== undefined;
    const key = {
      id,
      kind,
      workspace: owner,
      name,
      siteId,
      digest: Buffer.from(digest),
      madeAt: at,
      isOfFile,
    };
    this.#add(key);
  }

  #add(key: Key): Key {
    this.#keys.set(key.id, key);
    const owner = key.workspace ?? '';
    const ids = this.#byWorkspace.get(owner) ?? new Set();
    this.#byWorkspace.set(owner, ids.add(key.id));
    if (key.siteId !== null)
      this.#bySite.set(key.siteId, (this.#bySite.get(key.siteId) ?? new Set()).add(key.id));
    return key;
  }

  #forget(id: string): void {
    const key = this.#keys.get(id);
    // What stands in credentials.json must stay revoked, whatever is listed.
    if (key === undefined || key.isOfFile) return;
    this.#keys.delete(id);
    if (key.siteId !== null) this.#bySite.get(key.siteId)?.delete(id);
    this.#endings.delete(id);
    this.#byWorkspace.get(key.workspace ?? '')?.delete(id);
  }

  #ending(id: string): Ending {
    const ending = this.#endings.get(id) ?? { ...nothing };
    this.#endings.set(id, ending);
    return ending;
  }

  #isActive(id: string, now: number): boolean {
    const ending = this.#endings.get(id);
    return ending?.revokedAt === undefined && now < (ending?.expiresAt ?? Infinity);
  }
}
