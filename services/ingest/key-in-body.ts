/**
 * The key that a body holds, found without reading the body: who has none must not have a megabyte of JSON parsed. Pure.
 *
 * Each text behind a member of the name is a candidate, wherever it stands, so a key that parsing would find is among
 * them; a name or a key written with escapes is not found, and no client writes them so.
 */

/** A page says it once, or once beside each call of a batch. */
const candidatesMax = 4;
/** Ours are far shorter. */
const keyBytesMax = 256;

const QUOTE = 0x22;
const COLON = 0x3a;

/** @param body UTF-8. */
export function keysInBody(body: Buffer, name: string): readonly string[] {
  const member = Buffer.from(JSON.stringify(name));
  const found = new Set<string>();
  let at = body.indexOf(member);
  for (let seen = 0; at >= 0 && seen < candidatesMax; seen += 1) {
    const value = textBehind(body, at + member.length);
    if (value !== undefined) found.add(value);
    at = body.indexOf(member, at + member.length);
  }
  return [...found];
}

/** The text behind a colon; undefined where there is none. */
function textBehind(body: Buffer, from: number): string | undefined {
  const colon = skipSpace(body, from);
  if (body[colon] !== COLON) return undefined;
  const open = skipSpace(body, colon + 1);
  if (body[open] !== QUOTE) return undefined;
  const close = body.subarray(0, open + keyBytesMax + 2).indexOf(QUOTE, open + 1);
  return close < 0 ? undefined : body.toString('utf8', open + 1, close);
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at += 1;
  return at;
}
