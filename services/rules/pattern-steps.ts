/**
 * What tests of patterns may cost in one look at a person, counted in steps: instructions of the program times code points
 * of the text, which is what a search takes at worst. Counted and never timed, so that a replay counts the same.
 */
import { patternInstructionsMax, patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import { codePointsTested, type Pattern } from '../runtime/pattern.ts';

/** The largest pattern on the longest text, once. */
export const patternStepsALookMax = patternInstructionsMax * patternTextCodePointsMax;

export interface PatternTests {
  test(pattern: Pattern, text: string): boolean;
}

/** Where nobody waits: the oracle of tests, and explanations of one rule. */
export const unmetered: PatternTests = { test: (pattern, text) => pattern.test(text) };

/** A test that no steps are left for is not made and is false; the smaller ones behind it may still be. */
export class PatternSteps implements PatternTests {
  #left = patternStepsALookMax;
  #skipped = 0;

  test(pattern: Pattern, text: string): boolean {
    const steps = pattern.instructions * Math.max(1, codePointsTested(text));
    if (steps > this.#left) {
      this.#skipped += 1;
      return false;
    }
    this.#left -= steps;
    return pattern.test(text);
  }

  /** Steps that were taken. */
  get taken(): number {
    return patternStepsALookMax - this.#left;
  }
  /** Tests that were not made. */
  get skipped(): number {
    return this.#skipped;
  }
}
