import { describe, expect, test } from '@jest/globals';
import { canonicalIdentifier } from '../../schemas/lanes.ts';
import { call, eventOf, refusalOf, sent } from '../testing/ingest-calls.ts';
import { translateIdentify } from './translate-track.ts';

const identified = (email: string) => translateIdentify(call, email, sent({}));

describe('security 10: an email is normalised, then measured', () => {
  test('lower case that is longer than what was sent is refused', () => {
    const email = `${'Ⱥ'.repeat(70)}@k.ex`;
    expect(Buffer.byteLength(email)).toBeLessThan(150);
    expect(refusalOf(identified(email)).reason).toBe('limit_exceeded');
  });

  test('what is short enough once it is composed is taken', () => {
    const email = `${'A\u030A'.repeat(60)}@k.ex`;
    expect(Buffer.byteLength(email)).toBeGreaterThan(150);
    expect(eventOf(identified(email)).identifier_kind).toBe('email');
  });

  test.each([
    ['\u212A@k.ex', 'k@k.ex'],
    ['A\u030A@k.ex', '\u00E5@k.ex'],
    ['\u212B@K.ex', '\u00E5@k.ex'],
  ])('%j is %j', (one, other) => {
    expect(canonicalIdentifier({ kind: 'email', value: one }).value).toBe(other);
    expect(canonicalIdentifier({ kind: 'email', value: other }).value).toBe(other);
  });
});
