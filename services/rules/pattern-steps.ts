/**
 * What one look at a person may cost, counted in steps and never timed, so that a replay counts the same. Of a pattern: the
 * instructions of its program times the code points of the text, which is what a search takes at worst. What else grows with
 * whom or what is asked (objects of a person, long texts and lists) takes of the same steps. What every question of a rule
 * takes by its text (rule-steps.ts) is counted on top, for the share of the workspace, and never refused.
 */
import { patternInstructionsMax, patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import { codePointsTested, type Pattern } from '../runtime/pattern.ts';

/** The largest pattern on the longest text, once. */
export const patternStepsALookMax = patternInstructionsMax * patternTextCodePointsMax;

export interface PatternTests {
  test(pattern: Pattern, text: string): boolean;
  /** Takes so many steps for another dear test; false: there are none left, and the test is not made and is false. */
  has(steps: number): boolean;
}

/** Where nobody waits: the oracle of tests, and explanations of one rule. */
export const unmetered: PatternTests = { test: (pattern, text) => pattern.test(text), has: () => true };

/** A test that no steps are left for is not made and is false; the smaller ones behind it may still be. */
export class PatternSteps implements PatternTests {
  #left = patternStepsALookMax;
  #spent = 0;
  #skipped = 0;

  test(pattern: Pattern, text: string): boolean {
    const steps = pattern.instructions * Math.max(1, codePointsTested(text));
    return this.has(steps) && pattern.test(text);
  }

  has(steps: number): boolean {
    if (steps > this.#left) {
      this.#skipped += 1;
      return false;
    }
    this.#left -= steps;
    return true;
  }

  /** What is asked whatever it takes. */
  spend(steps: number): void {
    this.#spent += steps;
  }

  /** Steps that were taken. */
  get taken(): number {
    return patternStepsALookMax - this.#left + this.#spent;
  }
  /** Tests that were not made. */
  get skipped(): number {
    return this.#skipped;
  }
}
