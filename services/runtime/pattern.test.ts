/** Patterns of strangers: what they may cost is known before they are compiled. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { patternInstructionsMax, patternTextCodePointsMax } from '../../schemas/http/limits.ts';
import { patternSize } from './pattern-size.ts';
import { codePointsTested, compilePattern, measurePattern } from './pattern.ts';
import { runs } from '../testing/runs.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

/** What patterns are made of, the odd parts among them: what only looks like a count, a group or a class. */
const piece = fc.constantFrom(
  ...[
    'a',
    'b',
    '.',
    '|',
    '^',
    '$',
    '*',
    '+',
    '?',
    '??',
    '{3}',
    '{2,}',
    '{0}',
    '{0,4}',
    '{2,5}?',
    '{01}',
    '{,3}',
  ],
  ...[
    '(',
    '(?:',
    '(?i)',
    '(?i:',
    '(?P<n>',
    '(?<m>',
    '(?-s:',
    ')',
    ')',
    ')',
    '[',
    '[^',
    ']',
    '-',
    '[:alpha:]',
  ],
  ...[
    '[a-c]',
    '[^]a]',
    '[[:digit:]_]',
    '[\\pL\\d]',
    '[a\\]{9}]',
    '[()]',
    '[a-\\x{1f600}]',
    '\\Q',
    '\\E',
    '\\Q\\E',
  ],
  ...[
    '\\pL',
    '\\P{Greek}',
    '\\p{^L}',
    '\\d',
    '\\W',
    '\\b',
    '\\A',
    '\\z',
    '\\x{41}',
    '\\x41',
    '\\101',
    '\\.',
    '\\\\',
  ],
  ...['{', '}', '{a}', ',', '7', 'é', '\u{1f600}', '\n'],
);
const soup = fc.array(piece, { maxLength: 14 }).map((pieces) => pieces.join(''));
/** Well formed, so that nested counts meet often. */
const wellFormed: fc.Arbitrary<string> = fc.letrec<{ pattern: string }>((tie) => ({
  pattern: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom('a', '.', '[ab]', '\\pL', '\\d', '^', '$', '\\b', 'é', ''),
    fc.array(tie('pattern'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('')),
    fc.array(tie('pattern'), { minLength: 1, maxLength: 4 }).map((parts) => `(?:${parts.join('|')})`),
    fc
      .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '*?', '{2}', '{0,3}', '{3,}', '{7}', '{40}'))
      .map(([part, count]) => `(?:${part})${count}`),
    tie('pattern').map((part) => `(${part})`),
    tie('pattern').map((part) => `(?i:${part})`),
  ),
})).pattern;
const anyPattern = fc.oneof(soup, wellFormed);

function programOf(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source);
  } catch {
    return undefined;
  }
}

describe('security 5: the size of a pattern is known before it is compiled', () => {
  test(`it is never below the program's, and what RE2 takes is taken (SEED=${String(seed)})`, () => {
    let compiled = 0;
    fc.assert(
      fc.property(anyPattern, (source) => {
        const size = patternSize(source);
        if (size !== undefined && size > 50_000) return; // refused; compiling it is what is to be avoided
        const program = programOf(source);
        if (program === undefined) return;
        compiled += 1;
        expect(size).toBeGreaterThanOrEqual(program.programSize());
      }),
      { seed, numRuns: runs(5_000) },
    );
    expect(compiled).toBeGreaterThan(runs(1_250));
  });

  test.each([
    ['^[a-z0-9-]+\\.example$', 26],
    ['(?i)boots|shoes|sandals', 40],
    ['^\\d{4}-\\d{2}-\\d{2}$', 20],
    ['^\\pL[\\pL .-]+$', 150],
  ])('ordinary ones are small: %s', (source, max) => {
    expect(measurePattern(source)).toBeLessThanOrEqual(max);
  });

  test.each([
    ['counts that multiply', '.{1000}'.repeat(20)],
    ["the issue's guard", '.{1000}'.repeat(70)],
    ['nested counts', '(?:(?:(?:a{1000}){1000}){1000}){1000}'],
    ['a count of a repetition behind flags', 'a{100}(?i){100}'],
    ['a count of a repetition behind nothing', 'a{100}\\Q\\E{100}'],
    ['a wide range that ignores case', `(?i)[${'B-\u{1e942}'.repeat(120)}]`],
    ['the same in hexadecimal', '(?i)[B-\\x{1e942}]'],
    ['Unicode classes', '\\pL'.repeat(160)],
    ['Unicode classes in a class', `[${'\\PL'.repeat(160)}]`],
  ])('refused with what to do: %s', (_, source) => {
    expect(compilePattern(source)).toMatchObject({
      ok: false,
      code: 'pattern_too_large',
      message: expect.stringContaining('repeat less often'),
    });
  });
});

describe('security 6: what a test costs is bounded', () => {
  test('the pattern that stalled the trigger is refused', () => {
    for (const source of ['(?:.*[cd]?){1000}'.repeat(20) + '[xy]$', '(?:.*[cd]?){1000}[xy]$']) {
      expect(compilePattern(source)).toMatchObject({ ok: false, code: 'pattern_too_large' });
    }
    expect(compilePattern('(?:.*[cd]?){20}[xy]$').ok).toBe(true);
  });

  test('a pattern sees the beginning of a text, whole code points of it', () => {
    const result = compilePattern('b$');
    const atEnd = compilePattern('a$');
    if (!result.ok || !atEnd.ok) throw new Error('the patterns are good');
    const beginning = '\u{1f600}'.repeat(patternTextCodePointsMax - 1);
    expect(result.pattern.test(`${beginning}b`)).toBe(true);
    expect(result.pattern.test(`${beginning}a${'b'.repeat(10)}`)).toBe(false);
    expect(atEnd.pattern.test(`${beginning}a${'b'.repeat(10)}`)).toBe(true);
  });

  test(`instructions that are looked at stay below instructions × code points (SEED=${String(seed)})`, () => {
    const hostile = fc.constantFrom(
      ...['(?:.*[cd]?){200}[xy]$', '(?:.?){300}[xy]$', '(?:a?){300}a{300}x', '(a*)*b', '(?:(?:a|a)*){60}x'],
      ...['(a|b|ab){90}$', '(?:\\b.*\\B.?){120}x', '[^\\pL]{50}', '(?i)(?:a*b?){150}[xy]$', '(?:.*a){240}'],
    );
    const text = fc.tuple(
      fc.constantFrom('a', 'ab', 'abc d', 'a\n', 'é', '\u{1f600}'),
      fc.integer({ min: 0, max: 1_200 }),
    );
    fc.assert(
      fc.property(fc.oneof(anyPattern, hostile), text, (source, [unit, times]) => {
        const size = measurePattern(source);
        if (typeof size !== 'number') return;
        const seen = unit.repeat(times).slice(0, patternTextCodePointsMax);
        const looks = looksOf(source, seen);
        // Every instruction is put on a list and taken off it once a code point; a test costs at least its start.
        if (looks !== undefined) expect(looks).toBeLessThanOrEqual(3 * size * (codePointsTested(seen) + 2));
      }),
      { seed, numRuns: runs(20) },
    );
  });
});

/** Times that the engine looks at an instruction while it searches. */
function looksOf(source: string, text: string): number | undefined {
  const program = programOf(source);
  if (program === undefined) return undefined;
  const inner: unknown = Reflect.get(Reflect.get(program, 're2Input'), 'prog'); // the engine's own program
  const instructions: unknown = Reflect.get(inner as object, 'inst');
  if (!Array.isArray(instructions)) throw new Error('the engine keeps its program elsewhere now');
  expect(instructions.length).toBe(program.programSize());
  expect(instructions.length).toBeLessThanOrEqual(patternInstructionsMax);
  let looks = 0;
  const counted = new Proxy(instructions, {
    get(target, key) {
      if (typeof key === 'string' && key !== 'length') looks += 1;
      return Reflect.get(target, key) as unknown;
    },
  });
  Reflect.set(inner as object, 'inst', counted);
  program.matcher(text).find();
  return looks;
}
