import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { e164, isPhoneCountry } from './phone.ts';

test.each([
  ['+49 30 901820', null, '+4930901820'],
  ['(030) 901820', 'DE', '+4930901820'],
  ['+49 (0)30 901820', 'US', '+4930901820'],
  ['212-555-0123', 'US', '+12125550123'],
  ['030 901820', null, undefined],
  ['+1', null, undefined],
  ['call me at +4930901820', null, undefined],
  ['+4930901820'.padEnd(65, '0'), null, undefined],
  ['', 'DE', undefined],
  ['030 901820', 'XX', undefined],
])('%j in %s is %s', (text, country, number) => {
  expect(e164(text, country)).toBe(number);
});

test('a number in its form stays as it is, in whatever country it is read', () => {
  const country = fc.constantFrom(null, 'DE', 'US', 'BR');
  const rest = fc.stringMatching(/^[0-9]{6,9}$/).map((digits) => `+4930${digits}`);
  fc.assert(
    fc.property(rest, country, country, (text, here, there) => {
      const number = e164(text, here);
      if (number === undefined) expect(e164(text, there)).toBeUndefined();
      else expect(e164(number, there)).toBe(number);
    }),
  );
});

test('countries are those that have numbers', () => {
  expect([isPhoneCountry('DE'), isPhoneCountry('XX')]).toEqual([true, false]);
});
