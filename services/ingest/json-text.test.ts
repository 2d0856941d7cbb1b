import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { nestingMax } from '../../schemas/http/limits.ts';
import { sent } from '../testing/ingest-calls.ts';
import { readJson } from './json-text.ts';

const read = (text: string) => readJson(Buffer.from(text));

describe('what is stored is the text that the client sent', () => {
  test('numbers keep every digit, and members their order', () => {
    const text = '{"n":123456789012345678901234567890,"z":1.0,"b":-0,"10":1,"2":1e400}';
    expect(sent(`{"data": ${text} }`).textOf('data')).toBe(text);
  });

  test('brackets, quotes and backslashes within strings end nothing', () => {
    const text = String.raw`{"a":"}]\"{[,\\","b":["\\\"",{"c":"]"}]}`;
    const body = sent(String.raw`{"x":"\\","data":${text},"y":1}`);
    expect(body.textOf('data')).toBe(text);
    expect(body.textOf('y')).toBe('1');
  });

  test('of a repeated key the last one counts, as it does when parsed', () => {
    const body = sent('{"data":{"a":1},"data":{"a":2}}');
    expect(body.textOf('data')).toBe('{"a":2}');
    expect(body.value['data']).toEqual({ a: 2 });
  });

  test('__proto__ is a member like any other', () => {
    const body = sent('{"data":{"__proto__":{"admin":true}},"__proto__":{"name":"x"}}');
    expect(body.textOf('data')).toBe('{"__proto__":{"admin":true}}');
    expect(body.textOf('__proto__')).toBe('{"name":"x"}');
    expect(body.value['name']).toBeUndefined();
  });

  test('members of Object.prototype are not members of a body', () => {
    expect(sent('{}').textOf('constructor')).toBeUndefined();
  });

  test('half of a surrogate pair becomes the replacement character, a whole one stays', () => {
    const body = sent(
      String.raw`{"data":{"lone":"\ud83d","pair":"\ud83d\ude00","text":"\\ud83d","low":"x\uDE00y"}}`,
    );
    expect(body.textOf('data')).toBe(
      String.raw`{"lone":"\ufffd","pair":"\ud83d\ude00","text":"\\ud83d","low":"x\ufffdy"}`,
    );
  });

  test('any member of any object can be cut out', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 24 }),
        fc.nat({ max: 3 }),
        (value, indent) => {
          const body = sent(JSON.stringify(value, undefined, indent));
          for (const key of Object.keys(value)) {
            const text = body.textOf(key) ?? '';
            expect(JSON.parse(text)).toEqual(
              JSON.parse(JSON.stringify(value[key]).replace(/\\ud[89a-f]../g, '\\ufffd')),
            );
          }
        },
      ),
    );
  });

  test('elements of a list are cut out too; what is no object is told apart', () => {
    const items = sent('{"batch":[ {"a":1} , 2,{"b":[{}]}]}').objects('batch');
    expect(items.map((item) => item?.text)).toEqual(['{"a":1}', undefined, '{"b":[{}]}']);
  });
});

describe('bodies that are not taken', () => {
  test.each([['[1]'], ['"x"'], ['null'], ['{"a":1'], ['x']])('%s', (text) => {
    expect(read(text).type).toBe('malformed');
  });

  test('bytes that are not UTF-8', () => {
    expect(readJson(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])).type).toBe('malformed');
  });

  test('nesting at the limit is taken, beyond it is not; brackets in strings do not count', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
    expect(read(nested(nestingMax)).type).toBe('object');
    expect(read(nested(nestingMax + 1)).type).toBe('malformed');
    expect(read(`{"a":"${'['.repeat(1_000)}"}`).type).toBe('object');
  });

  test('an empty body counts as an empty object', () => {
    expect(read('')).toMatchObject({ type: 'object', sent: { value: {} } });
  });
});
