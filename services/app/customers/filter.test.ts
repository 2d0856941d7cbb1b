/** The filter grammar of `POST /v1/customers` (spec A.5). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isFault } from '../app-route.ts';
import { filterDepthMax, filterPartsMax, filterSql, parseFilter, type Filter } from './filter.ts';

const has = (field: string) => ({ attribute: { field, operator: 'exists' } });
const parsed = (value: unknown): Filter => {
  const filter = parseFilter(value);
  if (isFault(filter)) throw new Error(filter.fault);
  return filter;
};
const faultOf = (value: unknown): string => {
  const filter = parseFilter(value);
  return isFault(filter) ? filter.fault : 'none';
};

describe('a filter', () => {
  test.each([
    [{ segment: { id: 7 } }, { type: 'segment', id: '7' }],
    [{ segment: { id: 'carts' } }, { type: 'segment', id: 'carts' }],
    [has('plan'), { type: 'exists', field: 'plan' }],
    [{ attribute: { field: 'n', operator: 'eq', value: 3 } }, { type: 'eq', field: 'n', value: '3' }],
    [{ not: has('a') }, { type: 'not', of: { type: 'exists', field: 'a' } }],
    [
      { or: [has('a'), has('b')] },
      {
        type: 'or',
        of: [
          { type: 'exists', field: 'a' },
          { type: 'exists', field: 'b' },
        ],
      },
    ],
  ])('%j is read', (value, filter) => {
    expect(parsed(value)).toEqual(filter);
  });

  test.each([
    [undefined, /exactly one of/],
    [{}, /exactly one of/],
    [{ ...has('a'), segment: { id: 1 } }, /exactly one of/],
    [{ and: [has('a')], more: 1 }, /exactly one of/],
    [{ and: [] }, /must be a list/],
    [{ or: has('a') }, /must be a list/],
    [{ segment: {} }, /must have an id/],
    [{ attribute: { operator: 'exists' } }, /must have a field/],
    [{ attribute: { field: 'a', operator: 'gt', value: '1' } }, /eq or exists/],
    [{ attribute: { field: 'a', operator: 'eq' } }, /must have a value/],
  ])('%j is refused', (value, fault) => {
    expect(faultOf(value)).toMatch(fault);
  });

  test('is bounded in depth and in parts', () => {
    const nested = (depth: number): unknown => (depth === 1 ? has('a') : { not: nested(depth - 1) });
    expect(faultOf(nested(filterDepthMax))).toBe('none');
    expect(faultOf(nested(filterDepthMax + 1))).toMatch(/deep at most/);
    const wide = (leaves: number) => ({ and: Array.from({ length: leaves }, () => has('a')) });
    expect(faultOf(wide(filterPartsMax - 1))).toBe('none');
    expect(faultOf(wide(filterPartsMax))).toMatch(/at most 100 conditions/);
  });

  test('nothing of what is sent is in the text of the SQL', () => {
    const text = fc.stringMatching(/^[a-z'"{}();\\-]{3,12}$/).map((word) => `zq${word}`);
    const leaf = fc.oneof(
      text.map((id) => ({ segment: { id } })),
      text.map((field) => has(field)),
      fc
        .record({ field: text, operator: fc.constant('eq'), value: text })
        .map((attribute) => ({ attribute })),
    );
    fc.assert(
      fc.property(fc.array(leaf, { minLength: 1, maxLength: 5 }), (leaves) => {
        const { sql, parameters } = filterSql(parsed({ and: leaves }));
        expect(sql).not.toContain('zq');
        for (const name of Object.keys(parameters)) expect(sql).toContain(`{${name}:String}`);
      }),
    );
  });

  test('anything at all is a filter or a fault', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const filter = parseFilter(value);
        expect(isFault(filter) || typeof filterSql(filter).sql === 'string').toBe(true);
      }),
    );
  });
});
