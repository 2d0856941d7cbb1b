import { describe, expect, it } from '@jest/globals';
import { parseJourney, parseSegment } from './parse.ts';

const when = { event: 'Added to Cart', within: 'P30D' };
const segment = { name: 'Carts', type: 'data_driven', when };
const journey = { name: 'Cart recovery', state: 'running', trigger: { event: 'Added to Cart' } };

function faultsOf(result: ReturnType<typeof parseSegment> | ReturnType<typeof parseJourney>): string[] {
  return result.ok ? [] : result.faults.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('a segment definition', () => {
  it('is read with the defaults of what it leaves out', () => {
    expect(parseSegment(segment)).toEqual({
      ok: true,
      value: {
        type: 'data_driven',
        name: 'Carts',
        description: null,
        when: {
          type: 'event',
          pointer: '/when',
          name: 'Added to Cart',
          eventType: null,
          where: [],
          count: { type: 'at_least', n: 1 },
          withinMs: 30 * 86_400_000,
        },
      },
    });
  });

  it('says every fault at once, each with its JSON pointer', () => {
    const bad = {
      type: 'data_driven',
      colour: 'red',
      when: {
        all: [
          { event: '', within: 'P1M' },
          {
            event: 'A',
            where: [
              { property: 'a/b', operator: 'like' },
              { operator: 'eq', value: null },
            ],
          },
          { event: 'B', count: { at_least: 0 } },
          { attribute: 'plan', operator: 'matches', value: '(?=x)' },
          { all: [{}], any: [] },
        ],
      },
    };
    expect(faultsOf(parseSegment(bad))).toEqual([
      '/colour unknown_key',
      '/name required',
      '/when/all/0/event required',
      '/when/all/0/within invalid_duration',
      '/when/all/1/where/0/operator unknown_value',
      '/when/all/1/where/1/property required',
      '/when/all/1/where/1/value wrong_type',
      '/when/all/2/count/at_least out_of_range',
      '/when/all/3/value invalid_pattern',
      '/when/all/4 ambiguous',
    ]);
  });

  it.each([
    [{ event: 'A', without: { event: 'B' }, for: 'PT10M' }, ['/when/without', '/when/for']],
    [{ not: when, age: 'required' }, ['/when/age']],
    [{ event: 'A', count: { distinct: 'sku', at_most: 3 } }, ['/when/count/at_most']],
  ])('refuses what is not built yet by its own code: %j', (rule, pointers) => {
    const faults = faultsOf(parseSegment({ ...segment, when: rule }));
    expect(faults.filter((fault) => fault.endsWith('not_supported_yet'))).toEqual(
      pointers.map((pointer) => `${pointer} not_supported_yet`),
    );
  });

  it('may be manual, and then has no rule', () => {
    expect(parseSegment({ name: 'VIP', type: 'manual' }).ok).toBe(true);
    expect(faultsOf(parseSegment({ name: 'VIP', type: 'manual', when }))).toEqual(['/when unknown_key']);
  });

  it('is bounded in depth, in conditions and in what it counts', () => {
    let deep: unknown = when;
    for (let i = 0; i < 12; i += 1) deep = { not: deep };
    expect(faultsOf(parseSegment({ ...segment, when: deep }))).toContainEqual(
      expect.stringMatching(/too_deep$/),
    );
    const wide = { all: Array.from({ length: 50 }, () => ({ any: Array.from({ length: 50 }, () => when) })) };
    expect(faultsOf(parseSegment({ ...segment, when: wide }))).toContainEqual(
      expect.stringMatching(/too_many$/),
    );
    const many = { event: 'A', count: { at_least: 1_001 } };
    expect(faultsOf(parseSegment({ ...segment, when: many }))).toEqual(['/when/count/at_least out_of_range']);
  });

  it.each([null, undefined, 1, 'x', [], [segment]])('that is no object is refused: %j', (body) => {
    expect(faultsOf(parseSegment(body))).toEqual([' wrong_type']);
  });

  it('escapes keys in pointers and knows __proto__ for the unknown key that it is', () => {
    const body: unknown = JSON.parse('{"name":"x","type":"manual","__proto__":{},"a/b~c":1}');
    expect(faultsOf(parseSegment(body))).toEqual(['/__proto__ unknown_key', '/a~1b~0c unknown_key']);
  });
});

describe('a journey definition', () => {
  it('enters people once and holds nobody out unless it says otherwise', () => {
    const result = parseJourney(journey);
    expect(result.ok && result.value).toMatchObject({
      frequency: { mode: 'once' },
      holdout: 0,
      filters: null,
      includeCurrent: false,
    });
  });

  it('reads each kind of trigger and each frequency', () => {
    for (const trigger of [
      { event: 'A', type: 'page', where: [{ property: 'price', operator: 'gt', value: 10 }] },
      { segment: 'carts', on: 'enter' },
      { identified: true },
    ]) {
      expect(faultsOf(parseJourney({ ...journey, trigger }))).toEqual([]);
    }
    for (const frequency of [
      { mode: 'once' },
      { mode: 'every_rematch' },
      { mode: 'every_rematch', gap: 'P1D' },
      { mode: 'interval', every: 'P7D' },
    ]) {
      expect(faultsOf(parseJourney({ ...journey, frequency }))).toEqual([]);
    }
  });

  it('says every fault at once', () => {
    const bad = {
      state: 'on',
      trigger: { segment: 'x', on: 'exit' },
      filters: { attribute: 'email', operator: 'exists', value: true },
      frequency: { mode: 'once', gap: 'P1D' },
      holdout: 1.1,
      include_current: 'yes',
    };
    expect(faultsOf(parseJourney(bad))).toEqual([
      '/name required',
      '/state unknown_value',
      '/trigger/on unknown_value',
      '/filters/value unknown_key',
      '/frequency/gap unknown_key',
      '/holdout out_of_range',
      '/include_current wrong_type',
    ]);
  });
});
