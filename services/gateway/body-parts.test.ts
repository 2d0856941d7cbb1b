/** Bodies in parts of any size: the same bytes come out, and very many small parts are few objects. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../testing/runs.ts';
import { BodyParts } from './body-parts.ts';

test('what comes out is what went in', () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 9_000 }));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const parts = new BodyParts();
      const sent = sizes.map((length, at) => Buffer.alloc(length, at + 1));
      for (const part of sent) parts.add(part);
      expect(parts.whole().equals(Buffer.concat(sent))).toBe(true);
      expect(parts.bytes).toBe(Buffer.concat(sent).length);
    }),
    { numRuns: runs(300) },
  );
});

test('a body that comes byte by byte is few objects, and one that comes whole is not copied', () => {
  const parts = new BodyParts();
  for (let at = 0; at < 1_000_000; at += 1) parts.add(Buffer.from([at & 0xff]));
  expect(parts.count).toBeLessThan(40);
  expect(parts.whole()).toHaveLength(1_000_000);
  const whole = Buffer.alloc(5_000);
  const one = new BodyParts();
  one.add(whole);
  expect(one.whole()).toBe(whole);
});
