/**
 * A person's attributes: last writer by (`_timestamp`, else receive time, then message id), each attribute by itself
 * (contract, *Words*). Removing is a write like any other, so it is remembered, or an older value would come back. Pure.
 */
import { filledFrom, isOtherCreatedAt, withSaidTime } from './created-at.ts';
import { compareStamps, setWritten, type Stamp, type Written } from './written.ts';
import { timestampOf } from '../../rules/operators.ts';
import { valueAt, type JsonObject } from '../../rules/paths.ts';
import { bytesAtMost, ProfileRoom } from './profile-limits.ts';
import { mergeRelationships, type Relationship } from './relationships.ts';

export interface Profile {
  /** Grows with every change that is published. */
  readonly version: number;
  readonly attributes: Readonly<Record<string, Written>>;
  /** The identifiers that conditions may ask for; who is whom is identity's to say. */
  readonly id: string | null;
  readonly email: string | null;
  /** Objects that the person belongs to; absent for none. */
  readonly relationships?: readonly Relationship[];
  /** Number of the fact as of which identity said so. Absent: not yet, and identifies are believed. */
  readonly knownAsOf?: number;
}

/** The identifiers that identity says a person has. */
export interface Known {
  /** Number of the last fact about the person. */
  readonly asOf: number;
  readonly id: string | null;
  readonly email: string | null;
}

export const newProfile: Profile = { version: 0, attributes: {}, id: null, email: null };

/** Keys of an identify that say something about the call or about who it is, and are not attributes (spec A.1). */
const SPECIAL_KEYS = new Set([
  'id',
  'email',
  'cio_id',
  'anonymous_id',
  'anonymousId',
  '_timestamp',
  '_update',
  'cio_relationships',
]);
/** The first value stays, whoever writes later (spec E row 101). */
const FIRST_TOUCH_KEYS = new Set(['acquisition_source', 'first_seen_at']);

export interface Identify {
  readonly attributes: JsonObject;
  readonly by: Stamp;
  readonly id: string | null;
  readonly email: string | null;
  /** The call names the person by cio_id, which is what may change an identifier that is set (spec C.3). */
  readonly byCioId: boolean;
  /** null: identity was not asked. */
  readonly known: Known | null;
}

/** What a visitor said of themselves before they were known (spec C.1 row 18). */
export interface Traits {
  readonly attributes: JsonObject;
  /** When it was received, ms. */
  readonly at: number;
  readonly messageId: string;
}

export interface ProfileUpdate {
  readonly profile: Profile;
  /** Names whose value is another now; id and email included, and the time that is kept beside `created_at`. */
  readonly changed: readonly string[];
  /** Names left out: the value is too long, or the person has as much as may be (profile-limits.ts). */
  readonly refused: readonly string[];
}

export function applyIdentify(before: Profile, call: Identify): ProfileUpdate {
  const { attributes, changed, refused } = written(before, call.attributes, () => call.by);
  const named = call.known === null ? withClaims(before, call) : withKnown(before, call.known);
  return { profile: { ...named.profile, attributes }, changed: [...changed, ...named.changed], refused };
}

/** Taken off the time of what only fills: longer than any two times of ours can lie apart. */
const FILLS_MS = 2 ** 52;

/**
 * Fills what the person has not set, whenever either was said: written as if before every write of the person. So the
 * order in which lanes and merges bring it does not matter. Of the first touch the true time counts.
 */
export function applyTraits(before: Profile, { attributes: sent, at, messageId }: Traits): ProfileUpdate {
  const by = (name: string): Stamp => [FIRST_TOUCH_KEYS.has(name) ? at : at - FILLS_MS, messageId];
  const { attributes, changed, refused } = written(before, sent, by);
  return { profile: { ...before, attributes }, changed, refused };
}

function written(
  before: Profile,
  sentAttributes: JsonObject,
  by: (name: string) => Stamp,
): Pick<ProfileUpdate, 'changed' | 'refused'> & Pick<Profile, 'attributes'> {
  const attributes: Record<string, Written> = { ...before.attributes };
  const changed: string[] = [];
  const refused: string[] = [];
  const room = new ProfileRoom(before.attributes, () => bytesAtMost(sentAttributes));
  for (const name of Object.keys(sentAttributes)) {
    if (SPECIAL_KEYS.has(name)) continue;
    const next = { value: normalise(name, sentAttributes[name]), by: by(name) };
    const old = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    if (old !== undefined && !wins(name, next, old)) {
      setWritten(attributes, name, withSaidTime(name, old, next));
      continue;
    }
    const isOther = !isSame(old?.value ?? null, next.value);
    if ((isOther || old === undefined) && !room.takes(name, next.value, old?.value)) {
      refused.push(name);
      continue;
    }
    setWritten(attributes, name, old === undefined ? next : withSaidTime(name, next, old));
    if (isOther) changed.push(name);
  }
  if (isOtherCreatedAt(before.attributes, attributes, sentAttributes)) changed.push('created_at');
  return { attributes, changed, refused };
}

/** Lanes of one person are not in step: what identity said before counts no more. */
export function withKnown(before: Profile, known: Known): Pick<ProfileUpdate, 'profile' | 'changed'> {
  const { asOf, id, email } = known;
  if (asOf <= (before.knownAsOf ?? 0)) return { profile: before, changed: [] };
  return named(before, { ...before, id, email, knownAsOf: asOf });
}

/** An identify that identity was not asked about says nothing new, unless it was merged before identity told. */
function withClaims(before: Profile, { id, email, byCioId }: Identify) {
  if (before.knownAsOf !== undefined) return { profile: before, changed: [] };
  return named(before, {
    ...before,
    id: identifierAfter(before.id, id, byCioId),
    email: identifierAfter(before.email, email, byCioId),
  });
}

function named(before: Profile, profile: Profile): Pick<ProfileUpdate, 'profile' | 'changed'> {
  const changed: string[] = [];
  if (profile.id !== before.id) changed.push('id');
  if (profile.email !== before.email) changed.push('email');
  return { profile, changed };
}

/**
 * Primary wins; the secondary fills what is unset or empty on it (spec C.3). The first touch is that of both, or it would
 * depend on whether the secondary's identify came before the merge or was forwarded after it.
 */
export function mergeProfiles(primary: Profile, secondary: Profile): MergedProfile {
  const room = new ProfileRoom(primary.attributes, () => bytesAtMost(attributesOf(secondary)));
  const refused: string[] = [];
  const attributes: Record<string, Written> = { ...primary.attributes };
  for (const [name, theirs] of Object.entries(secondary.attributes)) {
    if (theirs.value === null) continue;
    const ours = Object.hasOwn(attributes, name) ? attributes[name] : undefined;
    const isFirst = FIRST_TOUCH_KEYS.has(name) && wins(name, theirs, ours);
    if (ours !== undefined && ours.value !== null && !isFirst) {
      setWritten(attributes, name, filledFrom(name, ours, theirs));
      continue;
    }
    if (room.takes(name, theirs.value, ours?.value)) setWritten(attributes, name, theirs);
    else refused.push(name);
  }
  const joined = mergeRelationships(primary.relationships ?? [], secondary.relationships ?? []);
  const { relationships } = joined;
  const profile = {
    ...primary,
    ...(relationships.length > 0 ? { relationships } : {}),
    attributes,
    id: primary.id ?? secondary.id,
    email: primary.email ?? secondary.email,
  };
  return { profile, refused, refusedRelationships: joined.refused };
}

export interface MergedProfile {
  readonly profile: Profile;
  /** Names of attributes, and ids of objects, that there was no room for. */
  readonly refused: readonly string[];
  readonly refusedRelationships: readonly string[];
}

/** By the profile: each condition asks, and of a person of many attributes putting them together costs a tenth of a ms. */
const attributesOfProfiles = new WeakMap<Profile, JsonObject>();

/** Attributes that are set, as published. */
export function attributesOf(profile: Profile): JsonObject {
  const known = attributesOfProfiles.get(profile);
  if (known !== undefined) return known;
  const set = Object.entries(profile.attributes).filter(([, { value }]) => value !== null);
  const attributes = Object.fromEntries(set.map(([name, { value }]) => [name, value]));
  attributesOfProfiles.set(profile, attributes);
  return attributes;
}

/** What a condition finds at a path: an identifier, an attribute, or what the product itself knows. */
export function attributeAt(profile: Profile, personId: string, firstSeenAt: number, path: string): unknown {
  if (path === 'id') return profile.id ?? undefined;
  if (path === 'email') return profile.email ?? undefined;
  if (path === 'cio_id') return personId;
  const attributes = attributesOf(profile);
  const found = valueAt(attributes, path);
  if (found !== undefined) return found;
  if (path === 'created_at') return secondsOf(timestampOf(valueAt(attributes, 'createdAt')));
  if (path === 'first_seen_at') return secondsOf(firstSeenAt);
  return undefined;
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined || !Number.isFinite(ms) ? undefined : ms / 1_000;
}

/** null and "" both remove. `unsubscribed` is true for true in any case, 1 and "1" (spec A.1). */
function normalise(name: string, value: unknown): unknown {
  if (value === undefined || value === '') return null;
  if (name !== 'unsubscribed' || value === null) return value;
  return value === true || value === 1 || (typeof value === 'string' && /^(true|1)$/i.test(value));
}

function wins(name: string, next: Written, old: Written | undefined): boolean {
  if (old === undefined) return true;
  const later = compareStamps(next.by, old.by) > 0;
  if (!FIRST_TOUCH_KEYS.has(name)) return later;
  if (next.value === null) return false;
  return old.value === null || !later;
}

function identifierAfter(before: string | null, sent: string | null, mayChange: boolean): string | null {
  if (sent === null || sent === '') return before;
  return before === null || mayChange ? sent : before;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' && typeof b !== 'object') return false;
  return JSON.stringify(a) === JSON.stringify(b);
}
