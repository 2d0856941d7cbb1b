/**
 * What code sends when it has nobody: printed absences, a field's own name, and templates that nobody filled in. The
 * list is closed, the same for ids and anonymous ids on every route, and asked by ingest and identity alike. Pure.
 */
import { canonicalName, isAlphanumeric, isAscii } from './identifiers.ts';

const WORDS = new Set(
  `null nil none undefined nan infinity -infinity void false true n/a #n/a <null> (null) <nil> (none) <none> <undefined>
   (undefined) (blank) (empty) unset (unset) not_set (not_set) notset anonymous anon guest unknown unidentified
   not_authenticated unauthenticated nobody -1 -1.0 {} [] () <> - -- --- ? ?? ??? . ... * _`.split(/\s+/u),
);
/** A field's own name where its value belongs, compared without case, spaces, `_` and `-`. */
const FIELDS = new Set(
  `id uid userid anonymousid anonid visitorid customerid distinctid deviceid externalid profileid personid cioid email
   emailaddress identifier previousid`.split(/\s+/u),
);
/**
 * What languages print of an object or a function (`[object Object]`, `[Function: id]`, `Promise { <pending> }`, Go's
 * `%!s(<nil>)`, Python's `<User object at 0x7f2a>`, Ruby's `#<User:0x0007>`), wherever it stands: what is around it was the
 * same for everybody, or it is another at each start.
 */
const PRINTED =
  /\[object [a-z]+\]|\[(?:async)?function\b[^\]]*\]|\bfunction ?\w* ?\(|\bpromise \{|%![a-z]\(|<[\w.]+ object at 0x[\da-f]+>|#<[\w:]+[:> ]|\boptional\(nil\)/iu;
/** Absences of two fields that were put together. */
const ABSENCES =
  /^(?:(?:null|nil|none|undefined|nan)[_:|/.,-]+)+(?:null|nil|none|undefined|nan)$|^(?:null|undefined){2,}$/iu;
/** Of the common template languages, filled in or not at all. */
const TEMPLATES = [
  ['{{', '}}'],
  ['${', '}'],
  ['<%', '%>'],
  ['{%', '%}'],
  ['#{', '}'],
  ['*|', '|*'],
  ['$(', ')'],
] as const;
/** Only as the whole: a percent sign or a bracket within an id may be anything. */
const WHOLE_TEMPLATE =
  /^(?:%%?[a-z_][\w.-]*%%?|\{[a-z_][\w.-]*\}|<[a-z_][\w.-]*>|\[\[?[a-z_][\w.-]*\]?\])$/iu;
/** In capitals, as ad servers write it: `__proto__` is a name like any other. */
const WHOLE_MACRO = /^__[A-Z][A-Z0-9_]*__$/u;
/** `0`, `000`, `00000000-0000-0000-0000-000000000000`. */
const ZEROS = /^[0-]*0[0-]*$/u;
/** A longer text is no remains of anything, and is refused as too long. */
const CHARS_MAX = 1_000;

/** Shorter texts are looked at whole: `-1.0` is a placeholder. */
const ORDINARY_CHARS_MIN = 5;

/**
 * Letters, digits and `_-.:` with a digit other than 0 among them and no `_` first, as nearly all ids are. No placeholder
 * of that length is like it: words and fields have no digits, templates and what is printed have other signs, and macros
 * begin with `_`.
 */
export function isOrdinary(text: string): boolean {
  if (text.length < ORDINARY_CHARS_MIN || text.length > CHARS_MAX) return false;
  if (text.charCodeAt(0) === 95) return false;
  let hasDigit = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 48 && code <= 57) hasDigit = true;
    else if (!isAlphanumeric(code) && code !== 45 && code !== 46 && code !== 58 && code !== 95) return false;
  }
  return hasDigit;
}

/** True for what names nobody. The text may be in any spelling. */
export function isPlaceholder(text: string): boolean {
  return !isOrdinary(text) && isOneOfThem(text);
}

/** As `isPlaceholder`, of any text. */
export function isOneOfThem(text: string): boolean {
  const name = canonicalName(text);
  if (name === '') return true;
  if (name.length > CHARS_MAX || !isAscii(name)) return false;
  return isWord(name) || isTemplate(name) || isTemplate(decoded(name)) || isWordsOnly(name);
}

function isWord(name: string): boolean {
  const word = name.toLowerCase();
  if (WORDS.has(word.replaceAll(' ', '_')) || ZEROS.test(word) || ABSENCES.test(word)) return true;
  const field = word.replace(/[\s_-]/gu, '');
  return FIELDS.has(field) || FIELDS.has(field.replace(/^(?:your|insert)/u, '').replace(/here$/u, ''));
}

/** `undefined undefined` of two names, `null@null` of an email's two parts. */
function isWordsOnly(name: string): boolean {
  if (!/[\s@]/u.test(name)) return false;
  const parts = name.toLowerCase().split(/[\s@]+/u);
  return parts.every((part) => WORDS.has(part) || part === '');
}

function isTemplate(name: string): boolean {
  if (PRINTED.test(name) || WHOLE_TEMPLATE.test(name) || WHOLE_MACRO.test(name)) return true;
  return TEMPLATES.some(([open, close]) => {
    const at = name.indexOf(open);
    return at !== -1 && name.includes(close, at + open.length);
  });
}

/** A template that was encoded into an address and decoded once too few. */
function decoded(name: string): string {
  if (!name.includes('%')) return name;
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
