/**
 * Regular expressions of conditions: RE2, so that no pattern and no value of a stranger can cost more than linear time,
 * and so that ClickHouse (which is RE2 too) finds the same. The only importer of re2js.
 */
import { RE2JS } from 're2js';
import { patternCharsMax } from '../../schemas/http/limits.ts';

export interface Pattern {
  readonly source: string;
  /** Found anywhere in the text, unless the pattern is anchored. */
  test(text: string): boolean;
}

export type PatternResult =
  { readonly ok: true; readonly pattern: Pattern } | { readonly ok: false; readonly message: string };

/** Refuses what RE2 has not: look-around, backreferences, repetition counts that blow up. */
export function compilePattern(source: string): PatternResult {
  if (source.length > patternCharsMax) {
    return { ok: false, message: `a pattern has at most ${String(patternCharsMax)} characters` };
  }
  try {
    const compiled = RE2JS.compile(source);
    return { ok: true, pattern: { source, test: (text) => compiled.matcher(text).find() } };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `not a pattern of RE2 syntax: ${detail}` };
  }
}
