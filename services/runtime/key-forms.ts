/**
 * What a secret of ours begins with. It tells people their keys apart, and a caller which of them stands in the wrong
 * place, without looking up whether there is such a key. Secrets that came from the environment have any form.
 */
export const keyPrefixes = {
  siteId: 'site',
  apiKey: 'api',
  browser: 'browser',
  server: 'write',
  app: 'app',
  admin: 'admin',
} as const;
export type KeyPart = keyof typeof keyPrefixes;

const WORDS: Readonly<Record<KeyPart, string>> = {
  siteId: 'a site id',
  apiKey: 'an API key of kind track',
  browser: 'a key of kind browser',
  server: 'a key of kind server',
  app: 'a key of kind app',
  admin: 'a key of kind admin',
};

const PARTS = Object.entries(keyPrefixes) as readonly (readonly [KeyPart, string])[]; // the names above
const REST = /^_[0-9a-f]{40}$/;

/** undefined: of no form of ours. */
export function keyPartOf(secret: string): KeyPart | undefined {
  const trimmed = secret.trim();
  return PARTS.find(
    ([, prefix]) => trimmed.startsWith(prefix) && REST.test(trimmed.slice(prefix.length)),
  )?.[0];
}

export function keyPartInWords(part: KeyPart): string {
  return WORDS[part];
}
