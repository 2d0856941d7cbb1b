/** Where a text stops being JSON, for whoever wrote it by hand. Pure. */

export interface JsonFault {
  /** From 1; columns count UTF-16 units. */
  readonly line: number;
  readonly column: number;
  /** What stands there; empty: the text ends. */
  readonly text: string;
}

const charsToldMax = 20;

/** undefined: it is JSON, as far as this reads it. */
export function jsonFault(text: string): JsonFault | undefined {
  const at = faultAt(text);
  if (at === undefined) return undefined;
  const before = text.slice(0, at);
  const lineAt = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let next = before.indexOf('\n'); next !== -1; next = before.indexOf('\n', next + 1)) line += 1;
  return {
    line,
    column: at - lineAt + 1,
    text: (text.slice(at).split('\n')[0] ?? '').slice(0, charsToldMax),
  };
}

/** Where it is alone, without a word of what was sent; '' where that cannot be said at little cost. */
export function jsonFaultPlace(text: string): string {
  const fault = text.length > placedCharsMax ? undefined : jsonFault(text);
  if (fault === undefined) return '';
  const end = fault.text === '' ? ', where it ends' : '';
  return ` at line ${String(fault.line)}, column ${String(fault.column)}${end}`;
}
/** Whoever sends longer ones at speed would have us read each twice. */
const placedCharsMax = 65_536;

export function jsonFaultText(text: string): string {
  const fault = jsonFault(text);
  if (fault === undefined) return 'the body is not valid JSON';
  const place = `line ${String(fault.line)}, column ${String(fault.column)}`;
  const there = fault.text === '' ? 'it ends here' : `what stands there is ${JSON.stringify(fault.text)}`;
  return `the body is not valid JSON at ${place}: ${there}`;
}

/** `moreKey`: after a comma; at `key` and `item` the object or list may also end. */
type Expected = 'value' | 'item' | 'key' | 'moreKey' | 'colon' | 'comma' | 'end';

const SPACE = /[ \t\n\r]*/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const WORD = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.])/y;

function faultAt(text: string): number | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  const closed = (): Expected => (open.length === 0 ? 'end' : 'comma');
  for (;;) {
    at = skip(SPACE, text, at) ?? at;
    const char = text[at];
    if (char === undefined) return expected === 'end' ? undefined : at;
    const inside = open.at(-1);
    if ((char === '}' && inside === '{') || (char === ']' && inside === '[')) {
      if (expected !== 'comma' && expected !== (char === '}' ? 'key' : 'item')) return at;
      open.pop();
      expected = closed();
      at += 1;
    } else if (expected === 'colon' || expected === 'comma') {
      if (char !== (expected === 'colon' ? ':' : ',')) return at;
      expected = expected === 'comma' && inside === '{' ? 'moreKey' : 'value';
      at += 1;
    } else if (expected === 'end') return at;
    else if (char === '"') {
      const end = endOfText(text, at);
      if (end.isFault) return end.at;
      at = end.at;
      expected = isKey(expected) ? 'colon' : closed();
    } else if (isKey(expected)) return at;
    else if (char === '{' || char === '[') {
      open.push(char);
      expected = char === '{' ? 'key' : 'item';
      at += 1;
    } else {
      const end = skip(WORD, text, at);
      if (end === undefined) return at;
      at = end;
      expected = closed();
    }
  }
}

function isKey(expected: Expected): boolean {
  return expected === 'key' || expected === 'moreKey';
}

function endOfText(text: string, from: number): { readonly at: number; readonly isFault: boolean } {
  let at = from + 1;
  for (;;) {
    at = skip(PLAIN, text, at) ?? at;
    if (text[at] === '"') return { at: at + 1, isFault: false };
    const next = skip(ESCAPE, text, at);
    if (next === undefined) return { at, isFault: true };
    at = next;
  }
}

/** Where it ends; undefined: it does not match there. */
function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
