/** Whoever wrote JSON by hand is told where it stops being any. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { jsonFault, jsonFaultPlace, jsonFaultText } from './json-fault.ts';

test('names the line, the column and what stands there', () => {
  const cases: readonly (readonly [string, number, number, string])[] = [
    ['{"a": 1,\n  "b": 2,\n}', 3, 1, '}'],
    ['{"name": "A" "when": {}}', 1, 14, '"when": {}}'],
    ["{'a': 1}", 1, 2, "'a': 1}"],
    ['{"a": [1, 2}', 1, 12, '}'],
    ['{"a": True}', 1, 7, 'True}'],
    ['{"a": 01}', 1, 7, '01}'],
    ['{"a": 1', 1, 8, ''],
    ['{"a": "b', 1, 9, ''],
    ['', 1, 1, ''],
    ['{} {}', 1, 4, '{}'],
    ['// no\n{}', 1, 1, '// no'],
  ];
  for (const [text, line, column, there] of cases) {
    expect([text, jsonFault(text)]).toEqual([text, { line, column, text: there }]);
  }
  expect(jsonFaultText('{"a": 1,}')).toBe(
    'the body is not valid JSON at line 1, column 9: what stands there is "}"',
  );
});

test('finds a fault where JSON.parse does, and none where it does not', () => {
  const json = fc.json({ maxDepth: 4 });
  const broken = fc.tuple(
    json,
    fc.nat(60),
    fc.constantFrom('', ',', '}', ']', '"', '\\', 'x', ':', ' ', '-', '\n'),
  );
  const texts = fc.oneof(
    json,
    broken.map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect([text, jsonFault(text) === undefined]).toEqual([text, isJson(text)]);
    }),
    { numRuns: runs(300) },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test('its place alone has nothing of the text, and is not looked for in a long one', () => {
  expect(jsonFaultPlace('{"email": "a@mail.example",\n  secret}')).toBe(' at line 2, column 3');
  expect(jsonFaultPlace('{"a": [1, 2')).toBe(' at line 1, column 12, where it ends');
  expect(jsonFaultPlace(`[${'1,'.repeat(40_000)}`)).toBe('');
  expect(jsonFaultPlace('{}')).toBe('');
});
