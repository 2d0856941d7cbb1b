/**
 * One form for what names somebody, whatever form it was sent in: clients decode a cookie once too few, print a number
 * as 910042.0, and copy an email together with the space behind it. Every field and route goes by this form, and so do
 * the deciders behind them. Pure; measures nothing, since a limit holds for the form that is kept.
 */
import { canonicalNumber } from './json-numbers.ts';
import { ownText } from './own-text.ts';

/** Code units below this are ASCII, of which only space, controls and quotes need a look. */
const ASCII_END = 0x80;
/** Marks that take no place and mean nothing between letters: soft hyphen, zero-width space, directions, byte-order mark. */
const UNSEEN = /[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/gu;
/** They shape what is around them in Persian, in Indic scripts and in emoji; beside ASCII they are only unseen. */
const JOINERS = /[\u200c\u200d]+/gu;
/**
 * A longer text is none that anybody may be called, in whatever form: NFC makes a quarter of it at most. It is left as it is,
 * since NFC costs the square of the marks that stand upon one letter, and this is asked before a length is measured.
 */
export const composedCharsMax = 1_000;
const WHITE = /\s/u;
/** At an end a joiner joins nothing. */
const OUTSIDE = /[\s\u200c\u200d]/u;
const QUOTES: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  '`': '`',
  '“': '”',
  '„': '“',
  '‘': '’',
  '«': '»',
};
const ESCAPED = ['%22', '%27', '\\"', "\\'"];

/** The text without white space and quotes around it and without unseen marks, in NFC. May be empty. */
export function canonicalName(text: string): string {
  if (isAscii(text)) return unquoted(text);
  const bare = unquoted(text.replace(UNSEEN, '').replace(JOINERS, joiningOnly));
  // Taking a mark out may bring two letters together that are one in NFC, which in turn has quotes of its own.
  return bare.length > composedCharsMax ? bare : unquoted(bare.normalize('NFC'));
}

/** The text as an email is compared. Case first, because lower case of one letter may be two. */
export function canonicalEmail(text: string): string {
  const name = canonicalName(text);
  const lower = name.toLowerCase();
  return isAscii(lower) ? lower : canonicalName(lower.replace(/[\u200c\u200d]/gu, ''));
}

const CIO = 'cio_';

/** A cio_id, which some clients send without what it begins with. Only for what is said to be one. */
export function canonicalCioId(text: string): string {
  const name = canonicalName(text);
  return name === '' || name.startsWith(CIO) ? name : `${CIO}${name}`;
}

/** A JSON number that names somebody: 910042.0 and 1e3 are 910042 and 1000, digits beyond 2^53 stay. */
export function canonicalNumberName(digits: string): string {
  return canonicalNumber(digits);
}

/** One `@`, no white space, no `/` before it, and a dot within the domain: `c26@shop` is an id. */
export function isEmailShaped(value: string): boolean {
  const at = value.indexOf('@');
  if (at <= 0 || value.includes('@', at + 1) || WHITE.test(value)) return false;
  if (value.lastIndexOf('/', at) !== -1) return false;
  const dot = value.indexOf('.', at + 2);
  return dot !== -1 && dot < value.length - 1;
}

export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= ASCII_END) return false;
  return true;
}

/** Looked at from its two ends: a pattern that asks what follows a run asks it once for each place where the run may begin. */
function joiningOnly(run: string, start: number, text: string): string {
  const end = start + run.length;
  const joins = start > 0 && end < text.length && !isAsciiAt(text, start - 1) && !isAsciiAt(text, end);
  return joins ? run : '';
}

function isAsciiAt(text: string, at: number): boolean {
  return text.charCodeAt(at) < ASCII_END;
}

/** By two marks that move towards each other: a text of quotes alone costs no more than its length. */
function unquoted(text: string): string {
  let [start, end] = [0, text.length];
  // As nearly all are: nothing is around them.
  if (isAlphanumeric(text.charCodeAt(0)) && isAlphanumeric(text.charCodeAt(end - 1))) return text;
  for (;;) {
    while (start < end && isSpace(text, start)) start++;
    while (start < end && isSpace(text, end - 1)) end--;
    const quote = quoteAround(text, start, end);
    if (quote === 0) break;
    start += quote;
    end -= quote;
  }
  return start === 0 && end === text.length ? text : ownText(text.slice(start, end), text);
}

/** Of ASCII. */
export function isAlphanumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code > 32 && code < ASCII_END) return false;
  return OUTSIDE.test(text.charAt(at));
}

/** Length of the quote that stands at both ends; 0 for none. */
function quoteAround(text: string, start: number, end: number): number {
  const closing = QUOTES[text.charAt(start)];
  if (closing !== undefined && end - start >= 2 && text.charAt(end - 1) === closing) return 1;
  for (const quote of ESCAPED) {
    const { length } = quote;
    if (end - start < 2 * length || !text.startsWith(quote, start)) continue;
    if (text.startsWith(quote, end - length)) return length;
  }
  return 0;
}
