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
          nameCheck: null,
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
    [{ event: 'A', without: { event: 'B' } }, ['/when/for required']],
    [{ event: 'A', for: 'PT1H' }, ['/when/without required']],
    [
      { event: 'A', without: { count: 1 }, for: 'P1M', rearm: 'maybe', count: { at_least: 2 } },
      [
        '/when/count ambiguous',
        '/when/without/count unknown_key',
        '/when/without/event required',
        '/when/for invalid_duration',
        '/when/rearm unknown_value',
      ],
    ],
    [{ event: 'A', without: { event: 'B' }, for: 'PT1H', within: 'PT1H' }, ['/when/within out_of_range']],
    [{ event: { operator: 'gt', value: 'a' } }, ['/when/event/operator unknown_value']],
    [{ event: { operator: 'contains', value: 1 } }, ['/when/event/value wrong_type']],
    [{ event: { operator: 'in', value: ['a', true] } }, ['/when/event/value wrong_type']],
    [{ type: 'visit' }, ['/when/type unknown_value', '/when/event required']],
    [{ event: { operator: 'not_exists' } }, ['/when/event/operator unknown_value']],
    [{ event: { operator: 'exists', value: 'A' } }, ['/when/event/value unknown_key']],
    [{ sequence: { event: 'A' } }, ['/when/sequence wrong_type']],
    [{ sequence: [{ event: 'A' }, 'B'] }, ['/when/sequence/1 wrong_type']],
    [{ sequence: Array.from({ length: 11 }, () => ({ type: 'page' })) }, ['/when/sequence too_many']],
    [
      { sequence: [{ event: 'A' }, { event: 'B' }], within: 'PT1H', without: { event: 'C' }, for: 'P1D' },
      ['/when/within out_of_range'],
    ],
    [{ not: { event: 'A' }, age: 'required' }, ['/when/age ambiguous']],
    [{ not: { event: 'A', within: 'P1D' }, age: 'asked' }, ['/when/age unknown_value']],
    [{ event: 'A', age: 'required' }, ['/when/age unknown_key']],
    [{ event: 'A', count: { distinct: 'sku', at_most: 201 } }, ['/when/count/at_most out_of_range']],
    [
      { relationship: '', id: 5, where: [{}], object: 1, count: { distinct: 'a', at_least: 1 } },
      [
        '/when/relationship required',
        '/when/id wrong_type',
        '/when/where/0/property required',
        '/when/where/0/operator required',
        '/when/object wrong_type',
      ],
    ],
  ])('says what is wrong with %j', (rule, faults) => {
    expect(faultsOf(parseSegment({ ...segment, when: rule }))).toEqual(faults);
  });

  it('reads the age beside a not as a condition of its own, of the longest window in it', () => {
    const not = { any: [{ event: 'A', within: 'P1D' }, when] };
    const parsed = parseSegment({ ...segment, when: { not, age: 'required' } });
    expect(parsed.ok && parsed.value.type === 'data_driven' && parsed.value.when).toMatchObject({
      type: 'all',
      of: [{ type: 'not' }, { type: 'age', pointer: '/when/age', atLeastMs: 30 * 86_400_000 }],
    });
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
      { type: 'page' },
      { event: 'A', without: { event: 'B' }, for: 'PT4H', rearm: 'ignore' },
    ]) {
      expect(faultsOf(parseJourney({ ...journey, trigger }))).toEqual([]);
    }
    for (const frequency of [
      { mode: 'once' },
      { mode: 'every_rematch' },
      { mode: 'every_rematch', gap: 'P1D' },
      { mode: 'interval', every: 'P7D' },
      { mode: 'at_most', times: 3, per: 'P7D' },
    ]) {
      expect(faultsOf(parseJourney({ ...journey, frequency }))).toEqual([]);
    }
  });

  it('may run once for each value of a property of the event that triggers it', () => {
    const keyed = parseJourney({ ...journey, key: 'cart_id' });
    expect(keyed.ok && keyed.value.key).toBe('cart_id');
    for (const trigger of [{ identified: true }, { segment: 'x', on: 'enter' }]) {
      expect(faultsOf(parseJourney({ ...journey, trigger, key: 'cart_id' }))).toEqual(['/key unknown_key']);
    }
    expect(faultsOf(parseJourney({ ...journey, key: '' }))).toEqual(['/key required']);
  });

  it('takes people of before by the time of their trigger, whatever that is', () => {
    const asOf = { ...journey, include_current: 'as_of_trigger' };
    const stall = { event: 'A', without: { event: 'B' }, for: 'PT1H' };
    for (const trigger of [{ event: 'A' }, stall, { segment: 'x', on: 'entered' }, { identified: true }]) {
      const parsed = parseJourney({ ...asOf, trigger });
      expect(parsed.ok && parsed.value.includeCurrent).toBe('as_of_trigger');
    }
    for (const include_current of [true, false]) {
      expect(parseJourney({ ...journey, include_current, trigger: { identified: true } }).ok).toBe(true);
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

it('goes by a segment in the words of the trace, or in the older ones, and what may stand there is listed', () => {
  const on = (word?: string) =>
    parseJourney({ name: 'J', state: 'running', trigger: { segment: 'fans', on: word } });
  const spellings = ['entered', 'enter', 'left', 'leave'].map((word) => {
    const parsed = on(word);
    return parsed.ok && parsed.value.trigger.type === 'segment' ? parsed.value.trigger.on : 'refused';
  });
  expect(spellings).toEqual(['entered', 'entered', 'left', 'left']);
  expect(on()).toMatchObject({
    faults: [
      {
        pointer: '/trigger/on',
        code: 'required',
        message: 'is required: one of entered, left, enter, leave',
      },
    ],
  });
});
