/** What an Authorization header holds. Pure. */

export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
}

export function basicPair(authorization: string | undefined): { user: string; password: string } | undefined {
  const match = /^basic +([\w+/=-]+) *$/i.exec(authorization ?? '');
  if (match?.[1] === undefined) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8'); // takes both alphabets, with or without padding
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}
