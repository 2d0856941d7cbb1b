/**
 * Regular expressions of conditions: RE2, so that no pattern and no value of a stranger can cost more than linear time,
 * and so that ClickHouse (which is RE2 too) finds the same. Linear is not cheap: the size of the program, the text that
 * it sees and the programs that are kept are all bounded. The only importer of re2js.
 */
import { RE2JS } from 're2js';
import {
  patternCharsMax,
  patternInstructionsMax,
  patternTextCodePointsMax,
} from '../../schemas/http/limits.ts';
import { patternSize } from './pattern-size.ts';
import { RecentMap } from './recent-map.ts';

export interface Pattern {
  readonly source: string;
  /** At least as many as its program has. */
  readonly instructions: number;
  /** Found anywhere in the text's first patternTextCodePointsMax code points, unless the pattern is anchored. */
  test(text: string): boolean;
}

export type PatternResult =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly code: PatternFault; readonly message: string };
export type PatternFault = 'invalid_pattern' | 'pattern_too_large';

/** Programs that were used last, 100 bytes to 1 kB an instruction. */
export const keptPatternsAGeneration = 128;
const kept = new RecentMap<string, PatternResult>(keptPatternsAGeneration);

/** Refuses what RE2 has not (look-around, backreferences) and what is too large, before that costs anything. */
export function compilePattern(source: string): PatternResult {
  const instructions = measurePattern(source);
  if (typeof instructions !== 'number') return instructions;
  let result = kept.get(source);
  if (result === undefined) {
    result = compile(source, instructions);
    kept.set(source, result);
  }
  return result;
}

/** Instructions of a pattern, without compiling it; or why it is refused. */
export function measurePattern(source: string): number | (PatternResult & { readonly ok: false }) {
  if (source.length > patternCharsMax) {
    const message = `a pattern has at most ${String(patternCharsMax)} characters`;
    return { ok: false, code: 'pattern_too_large', message };
  }
  const instructions = patternSize(source);
  if (instructions === undefined) {
    return { ok: false, code: 'invalid_pattern', message: 'not a pattern of RE2 syntax' };
  }
  if (instructions <= patternInstructionsMax) return instructions;
  const message =
    `a pattern has at most ${String(patternInstructionsMax)} instructions, this one ${String(instructions)}: ` +
    'repeat less often ({n} counts what it repeats n times; + and * count it once), or name fewer alternatives';
  return { ok: false, code: 'pattern_too_large', message };
}

/** A stored pattern that is over a bound, or of another version's syntax: it is found nowhere. */
export function matchNothing(source: string): Pattern {
  return { source, instructions: 0, test: () => false };
}

/**
 * Steps, which are instructions of a program times code points of a text, that are about as much of the machine as a unit
 * of a workspace's share (task/share/share.ts): measured with the patterns that are dearest by the step.
 */
export const patternStepsAUnit = 40;

/** Code points of a text that a pattern looks at: its own, or a few too many (surrogates), but never over the bound. */
export function codePointsTested(text: string): number {
  return Math.min(text.length, patternTextCodePointsMax);
}

function compile(source: string, instructions: number): PatternResult {
  try {
    const compiled = RE2JS.compile(source);
    const test = (text: string) => compiled.matcher(beginningOf(text)).find();
    return { ok: true, pattern: { source, instructions, test } };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { ok: false, code: 'invalid_pattern', message: `not a pattern of RE2 syntax: ${detail}` };
  }
}

/** ClickHouse's substringUTF8 cuts at the same place. */
function beginningOf(text: string): string {
  if (text.length <= patternTextCodePointsMax) return text;
  let end = 0;
  for (let count = 0; count < patternTextCodePointsMax && end < text.length; count += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}
