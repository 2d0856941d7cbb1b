import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../services/testing/runs.ts';
import { isOneOfThem, isOrdinary, isPlaceholder } from './placeholders.ts';

/** What placeholders are made of, so that chance comes near them. */
const pieces = fc.constantFrom(
  ...['null', 'undefined', 'nan', 'user', 'id', 'your', 'here', 'here1', 'anonymous', 'ID', 'A1', 'cio'],
  ...[
    '0',
    '1',
    '-1',
    '7',
    '42',
    '00',
    '.',
    '-',
    '_',
    '__',
    ':',
    '-1.0',
    'function',
    'Promise',
    '(',
    '{{',
    '%',
    ' ',
  ],
);
const near = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''));

test('what is taken for ordinary at a glance is no placeholder when it is looked at whole', () => {
  fc.assert(
    fc.property(fc.oneof(near, fc.stringMatching(/^[\w:.-]{1,12}$/)), (text) => {
      fc.pre(isOrdinary(text));
      expect(isOneOfThem(text)).toBe(false);
    }),
    { numRuns: runs(5_000) },
  );
});

test.each(['v-00000a1b2c', 'mx019418-1-a1e3a34e', '910042', 'user_7', 'a:b.c-9'])(
  '%s is ordinary',
  (text) => {
    expect(isOrdinary(text)).toBe(true);
    expect(isPlaceholder(text)).toBe(false);
  },
);

test.each(['__USER_ID1__', '-1.0', '00000-0000', 'undefined', 'user_id', '{{1234}}', '%user1%'])(
  '%s is not',
  (text) => {
    expect(isOrdinary(text)).toBe(false);
    expect(isPlaceholder(text)).toBe(true);
  },
);
