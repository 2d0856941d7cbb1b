/** A workspace's patterns of identifiers that name nobody, compiled once. RE2: linear time, whatever the pattern. */
import { compilePattern, type Pattern } from '../../runtime/pattern.ts';

const COMPILED_MAX = 256;
const compiled = new Map<string, Pattern | null>();

/** True when the pattern is found in the value. One that does not compile finds nothing. */
export function matchesPattern(source: string, value: string): boolean {
  let pattern = compiled.get(source);
  if (pattern === undefined) {
    if (compiled.size >= COMPILED_MAX) compiled.clear();
    const result = compilePattern(source);
    pattern = result.ok ? result.pattern : null;
    compiled.set(source, pattern);
  }
  return pattern?.test(value) ?? false;
}
