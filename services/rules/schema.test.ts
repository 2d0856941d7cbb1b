import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { condition } from '../testing/rule-arbitraries.ts';
import { parseJourney, parseSegment } from './parse.ts';
import { journeySchema, segmentSchema } from './schema.ts';

/** The published schema is asked by readers of plain JSON, whose numbers are doubles. */
function plain(when: unknown): unknown {
  return JSON.parse(JSON.stringify(when), (_key, value: unknown) =>
    value === Infinity || value === -Infinity ? 0 : value,
  );
}

const segment = Compile(segmentSchema);
const journey = Compile(journeySchema);

test('the published schema and the parser accept the same rules', () => {
  fc.assert(
    fc.property(condition, (when) => {
      const body = { name: 'x', type: 'data_driven', when };
      expect(parseSegment(body)).toMatchObject({ ok: true });
      expect(segment.Check(plain(body))).toBe(true);
      const filtered = { name: 'x', state: 'draft', trigger: { identified: true }, filters: when };
      expect(parseJourney(filtered)).toMatchObject({ ok: true });
      expect(journey.Check(plain(filtered))).toBe(true);
    }),
  );
});

test.each([
  { event: '' },
  { event: 'A', colour: 1 },
  { event: 'A', count: { at_least: 0 } },
  { event: 'A', count: { at_least: 1, at_most: 2 } },
  { event: 'A', within: '1 day' },
  { event: 'A', where: [{ property: 'a', operator: 'like' }] },
  { event: 'A', without: { event: 'B' } },
  { event: 'A', without: { event: 'B', count: { at_least: 1 } }, for: 'PT1H' },
  { event: 'A', without: { event: 'B' }, for: 'PT1H', count: { at_least: 1 } },
  { event: 'A', rearm: 'ignore' },
  { event: { operator: 'gt', value: 'a' } },
  { event: { operator: 'starts_with' } },
  { event: { operator: 'exists', value: 'a' } },
  { event: { operator: 'not_exists' } },
  { type: 'visit' },
  { sequence: [{ event: 'A' }] },
  { sequence: [{ event: 'A' }, { event: 'B' }], for: 'PT1H' },
  { not: { event: 'A', within: 'P1D' }, age: true },
  { relationship: '1', count: { distinct: 'a', at_least: 1 } },
  { all: [] },
  { all: [{ event: 'A' }], any: [{ event: 'A' }] },
  { attribute: 'a', operator: 'in', value: [] },
])('neither accepts %j', (when) => {
  const body = { name: 'x', type: 'data_driven', when };
  expect(parseSegment(body).ok).toBe(false);
  expect(segment.Check(body)).toBe(false);
});
