/** A workspace's patterns of identifiers that name nobody, compiled once. */
import { definitionPatternInstructionsMax } from '../../../schemas/http/limits.ts';
import {
  codePointsTested,
  compilePattern,
  matchNothing,
  measurePattern,
  type Pattern,
} from '../../runtime/pattern.ts';

/** Steps of looking for all patterns in each of the names (services/rules/pattern-steps.ts). */
export function stepsOfNames(sources: readonly string[], names: readonly (string | null)[]): number {
  if (sources.length === 0) return 0;
  const instructions = identifierPatterns(sources).reduce((sum, pattern) => sum + pattern.instructions, 0);
  return names.reduce((sum, name) => sum + instructions * (name === null ? 0 : codePointsTested(name)), 0);
}

/** By the list of the settings in force, which a change replaces. */
const compiled = new WeakMap<readonly string[], readonly Pattern[]>();

/** One that was stored before a bound that it is over is found nowhere; so are all where they are too large together. */
export function identifierPatterns(sources: readonly string[]): readonly Pattern[] {
  let patterns = compiled.get(sources);
  if (patterns === undefined) {
    const sizes = sources.map(measurePattern).filter((size) => typeof size === 'number');
    const isTooLarge = sizes.reduce((sum, size) => sum + size, 0) > definitionPatternInstructionsMax;
    patterns = sources.map((source) => {
      const result = isTooLarge ? undefined : compilePattern(source);
      return result?.ok === true ? result.pattern : matchNothing(source);
    });
    compiled.set(sources, patterns);
  }
  return patterns;
}
