/** A key is found in a body that nobody has parsed. */
import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { keysInBody } from './key-in-body.ts';

const keys = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '9', '-', '_'), minLength: 1, maxLength: 40 });

test('what parsing finds is among what is found, wherever it stands and however it is spaced', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
      keys,
      fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }),
      fc.constantFrom(undefined, 1, '\t'),
      (before, writeKey, after, space) => {
        const others = Object.entries(after).filter(([name]) => name !== 'writeKey');
        const text = JSON.stringify({ ...before, writeKey, ...Object.fromEntries(others) }, undefined, space);
        const isOften = text.split('"writeKey"').length > 4;
        if (!isOften) expect(keysInBody(Buffer.from(text), 'writeKey')).toContain(writeKey);
      },
    ),
  );
});

test('a few candidates at most, and none of what is no text', () => {
  const many = Array.from({ length: 100 }, (_, at) => `"writeKey":"k${String(at)}"`).join(',');
  expect(keysInBody(Buffer.from(`{${many}}`), 'writeKey')).toEqual(['k0', 'k1', 'k2', 'k3']);
  for (const body of [
    '',
    '"writeKey"',
    '{"writeKey":',
    '{"writeKey":5}',
    `{"writeKey":"${'k'.repeat(9_999)}"}`,
  ]) {
    expect(keysInBody(Buffer.from(body), 'writeKey')).toEqual([]);
  }
});
