/**
 * What a key is made of, and what is kept of it. A secret is 160 random bits, so its plain SHA-256 can neither be undone
 * nor found by trying: the slow hashes that passwords need would protect nothing here, and cost every call.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { KeyKind } from '../../runtime/caller.ts';
import { keyPrefixes, type KeyPart } from '../../runtime/key-forms.ts';

const SECRET_BYTES = 20;
const ID_BYTES = 8;

/** Where a key is shown. One secret at two doors would be two keys. */
export type Door = 'track' | 'write' | 'app' | 'admin';

export function doorOf(kind: KeyKind): Door {
  return kind === 'browser' || kind === 'server' ? 'write' : kind;
}

/** @param secret of the door track: `site_id:api_key`. */
export function digestOf(door: Door, secret: string): Buffer {
  return createHash('sha256').update(`${door}:${secret}`).digest();
}

export function keyIdOf(digest: Buffer): string {
  return `key_${digest.toString('hex', 0, ID_BYTES)}`;
}

/** As they are shown, once. */
export type Credentials = Readonly<Partial<Record<CredentialName, string>>>;
export type CredentialName = 'site_id' | 'api_key' | 'browser_key' | 'write_key' | 'app_key' | 'admin_key';

export function newSecret(part: KeyPart): string {
  return `${keyPrefixes[part]}_${randomBytes(SECRET_BYTES).toString('hex')}`;
}

/** @param siteId of the key that it replaces: pages have it, and go on asking with it. */
export function newCredentials(kind: KeyKind, siteId: string | null = null): Credentials {
  switch (kind) {
    case 'track':
      return { site_id: siteId ?? newSecret('siteId'), api_key: newSecret('apiKey') };
    case 'browser':
      return { browser_key: newSecret('browser') };
    case 'server':
      return { write_key: newSecret('server') };
    case 'app':
      return { app_key: newSecret('app') };
    case 'admin':
      return { admin_key: newSecret('admin') };
  }
}

/** The text that the door is shown; undefined where there is no such key among them. */
export function secretOf(kind: KeyKind, credentials: Credentials): string | undefined {
  const { site_id: siteId, api_key: apiKey } = credentials;
  switch (kind) {
    case 'track':
      return siteId === undefined || apiKey === undefined ? undefined : `${siteId}:${apiKey}`;
    case 'browser':
      return credentials.browser_key;
    case 'server':
      return credentials.write_key;
    case 'app':
      return credentials.app_key;
    case 'admin':
      return credentials.admin_key;
  }
}
