/**
 * What a 401 says: which credential the route takes, and how what was sent differs from that in form. Never whether a
 * key exists, nor what a key that exists may open: whoever guesses keys learns nothing. Only one that has ended is said to be so.
 */

/** Track: a site id with its API key; write: a write key; app: an app key, or the admin's. */
export type Wanted = 'track' | 'write' | 'app';

const WANTED: Readonly<Record<Wanted, string>> = {
  track: 'Basic with site_id:api_key, a key of kind track',
  write:
    'Basic with the write key as the user and no password, or writeKey in the body: a key of kind server or browser',
  app: 'Bearer with a key of kind app of that workspace, or of kind admin',
};

/** Who holds the secret of a key that has ended was let in with it once, so this tells them nothing that they did not know. */
export const keyEndedText =
  'Unauthorized request: this key has ended: it was revoked, or another was made in its place; GET /v1/keys of its workspace says when';

/** Of a call that may have its key in the body: whether it has one there, or the body is no JSON object. */
export type KeyInBody = 'none' | 'sent' | 'unreadable';

export function unauthorizedText(
  wanted: Wanted,
  authorization: string | undefined,
  inBody: KeyInBody = 'none',
): string {
  const differs =
    inBody === 'sent'
      ? 'the writeKey in its body is not valid'
      : `${differenceOf(wanted, authorization)}${inBody === 'unreadable' ? UNREADABLE : ''}`;
  return `Unauthorized request: this call takes ${WANTED[wanted]}; ${differs}`;
}
const UNREADABLE = ', and its body is no JSON object in which a writeKey could be found';

function differenceOf(wanted: Wanted, authorization: string | undefined): string {
  if (authorization === undefined) return 'it has no Authorization header';
  const scheme = /^(\w+) /.exec(authorization)?.[1]?.toLowerCase();
  const wantedScheme = wanted === 'app' ? 'bearer' : 'basic';
  if (scheme !== 'basic' && scheme !== 'bearer') return 'its Authorization is neither Basic nor Bearer';
  if (scheme !== wantedScheme) return `it has ${scheme === 'basic' ? 'Basic' : 'Bearer'}`;
  if (scheme === 'bearer') return 'the credentials are not valid';
  const text = Buffer.from(authorization.slice('basic '.length), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return 'what follows Basic is not the base64 of user:password';
  const hasPassword = colon < text.length - 1;
  if (wanted === 'track' && !hasPassword) return 'it has no password, as write keys are sent';
  if (wanted === 'write' && hasPassword) return 'it has a password, as site_id:api_key is sent';
  return 'the credentials are not valid';
}
