import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

test('what is written is read back, also past the first growth of the buffer', () => {
  const strings = fc.array(fc.option(fc.string({ maxLength: 60 })), { maxLength: 40 });
  const numbers = fc.array(fc.maxSafeInteger(), { maxLength: 20 });
  fc.assert(
    fc.property(strings, numbers, (texts, offsets) => {
      const writer = new WireWriter();
      writer.array(texts, (text) => writer.string(text));
      writer.array(offsets, (offset) => writer.int64(offset));
      writer.compactArray(texts, (text) => writer.compactString(text ?? '')).noTags();
      const reader = new WireReader(writer.finish());
      expect(reader.array(() => reader.string())).toEqual(texts);
      expect(reader.array(() => reader.int64())).toEqual(offsets);
      expect(reader.compactArray(() => reader.compactString())).toEqual(texts.map((text) => text ?? ''));
      reader.skipTags();
      expect(reader.position).toBe(reader.bytes.length);
    }),
  );
});

test('an answer that ends early is refused', () => {
  expect(() => new WireReader(Buffer.from([0, 9, 65])).string()).toThrow(RangeError);
});
