/**
 * What a 401 says: which credential the route takes, and how what was sent differs from that in form. Never whether a
 * key exists, nor what a key that exists may open, nor which half of a pair is wrong: nothing is looked up for it, and
 * whoever guesses keys learns nothing. Only one that has ended is said to be so.
 */
import { keyPartInWords, keyPartOf, type KeyPart } from './key-forms.ts';

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

/** Of a call that may have its key in the body: the key there, or whether the body is no JSON object. */
export type KeyInBody =
  | { readonly type: 'none' }
  | { readonly type: 'unreadable' }
  | { readonly type: 'sent'; readonly key: string };

export function unauthorizedText(
  wanted: Wanted,
  authorization: string | undefined,
  inBody: KeyInBody = { type: 'none' },
): string {
  const differs =
    inBody.type === 'sent'
      ? `the writeKey in its body ${misplaced('write', inBody.key) ?? 'is not valid'}`
      : `${differenceOf(wanted, authorization)}${inBody.type === 'unreadable' ? UNREADABLE : ''}`;
  return `Unauthorized request: this call takes ${WANTED[wanted]}; ${differs}`;
}
const UNREADABLE = ', and its body is no JSON object in which a writeKey could be found';

function differenceOf(wanted: Wanted, authorization: string | undefined): string {
  if (authorization === undefined) return 'it has no Authorization header';
  const [, sentScheme = '', rest = ''] = /^(\w+) +(.*)$/s.exec(authorization) ?? [];
  const scheme = sentScheme.toLowerCase();
  const wantedScheme = wanted === 'app' ? 'bearer' : 'basic';
  if (scheme !== 'basic' && scheme !== 'bearer') return 'its Authorization is neither Basic nor Bearer';
  if (scheme !== wantedScheme) return `it has ${scheme === 'basic' ? 'Basic' : 'Bearer'}`;
  if (wanted === 'app') {
    const other = misplaced(wanted, rest);
    return other === undefined ? 'the credentials are not valid' : `what follows Bearer ${other}`;
  }
  const text = Buffer.from(rest, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 0) return 'what follows Basic is not the base64 of user:password';
  return pairDiffers(wanted, text.slice(0, colon), text.slice(colon + 1));
}

function pairDiffers(wanted: 'track' | 'write', user: string, password: string): string {
  if (wanted === 'write') {
    if (password !== '') return 'it has a password, as site_id:api_key is sent';
    const other = misplaced('write', user);
    return other === undefined ? 'the credentials are not valid' : `its user ${other}`;
  }
  const [first, second] = [keyPartOf(user), keyPartOf(password)];
  if (first === 'apiKey' && second === 'siteId') return 'its site id and its API key have changed places';
  if (first !== undefined && first !== 'siteId') return `its user ${hasForm(first)}, not that of a site id`;
  if (password === '') {
    return first === undefined
      ? 'it has no password, as write keys are sent'
      : 'it has no password, where the API key belongs';
  }
  if (second !== undefined && second !== 'apiKey')
    return `its password ${hasForm(second)}, not that of an API key`;
  return 'no key has its site id and its API key together, and which of the two is wrong is not told';
}

const TAKEN: Readonly<Record<'write' | 'app', readonly KeyPart[]>> = {
  write: ['server', 'browser'],
  app: ['app', 'admin'],
};

/** undefined: of a form that belongs there, or of none of ours. */
function misplaced(wanted: 'write' | 'app', secret: string): string | undefined {
  const part = keyPartOf(secret);
  return part === undefined || TAKEN[wanted].includes(part) ? undefined : hasForm(part);
}

function hasForm(part: KeyPart): string {
  return `has the form of ${keyPartInWords(part)}`;
}
