/** Compiles the patterns of one definition, while they are within the bound of what a definition may have together. */
import { definitionPatternInstructionsMax } from '../../schemas/http/limits.ts';
import { compilePattern, matchNothing, measurePattern, type Pattern } from '../runtime/pattern.ts';
import { definitionFault, type PatternsFault } from '../runtime/stored-patterns.ts';

export type DefinitionPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly fault: Omit<PatternsFault, 'pointer'> };

export interface DefinitionPatterns {
  compile(source: string): DefinitionPattern;
}

/** Of a PUT: what is over a bound is a fault, and nothing is compiled from there on. */
export class NewPatterns implements DefinitionPatterns {
  #instructions = 0;

  compile(source: string): DefinitionPattern {
    const measured = measurePattern(source);
    if (typeof measured !== 'number') return refused(measured);
    this.#instructions += measured;
    if (this.#instructions > definitionPatternInstructionsMax) {
      return refused(definitionFault(this.#instructions));
    }
    const result = compilePattern(source);
    return result.ok ? result : refused(result);
  }
}

/** Of a stored definition: what is over a bound is found nowhere. */
export class StoredPatterns implements DefinitionPatterns {
  readonly #hasRoom: boolean;
  /** Patterns that are found nowhere. */
  unusable = 0;

  constructor(hasRoom: boolean) {
    this.#hasRoom = hasRoom;
  }

  compile(source: string): DefinitionPattern {
    const result = this.#hasRoom ? compilePattern(source) : undefined;
    if (result?.ok === true) return result;
    this.unusable += 1;
    return { ok: true, pattern: matchNothing(source) };
  }
}

function refused({ code, message }: Omit<PatternsFault, 'pointer'>): DefinitionPattern {
  return { ok: false, fault: { code, message } };
}
