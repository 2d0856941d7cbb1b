import { expect, test } from '@jest/globals';
import { parseJourney, parseSegment } from '../rules/parse.ts';
import { ruleWarnings } from './rule-warnings.ts';

const body = { name: 'A', type: 'data_driven', when: { event: 'Nope' } };
const parsed = parseSegment(body);
if (!parsed.ok) throw new Error('the segment is good');
const asked = { workspace: 'shop', definition: parsed.value, isNewRule: false, placing: 'never' as const };
const time = { now: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };

test('tables that cannot be read, or not in time, cost the warnings about names and nothing else', async () => {
  const never = new Promise<never>(() => undefined);
  expect(await ruleWarnings(() => never, asked, time)).toEqual([]);
  expect(await ruleWarnings(() => Promise.reject(new Error('away')), asked)).toEqual([]);
  expect(await ruleWarnings(() => Promise.resolve([]), asked)).toMatchObject([{ code: 'event_never_seen' }]);
});

test('a text that looks like a number is told wherever it is compared, and no other text', async () => {
  const where = [
    { property: 'total', operator: 'gte', value: '50' },
    { property: 'total', operator: 'lt', value: 50 },
    { property: 'sku', operator: 'gt', value: 'A50' },
    { property: 'sku', operator: 'eq', value: '50' },
  ];
  const sequence = [{ event: 'A' }, { event: 'B', where }];
  const plan = { attribute: 'age', operator: 'lt', value: '18.5' };
  const told = parseSegment({ name: 'A', type: 'data_driven', when: { all: [{ sequence }, plan] } });
  if (!told.ok) throw new Error('the segment is good');
  const seen = () => Promise.resolve([{ name: 'A' }, { name: 'B' }]);
  const warnings = await ruleWarnings(seen, { ...asked, definition: told.value });
  expect(warnings.map(({ pointer, code }) => [pointer, code])).toEqual([
    ['/when/all/0/sequence/1/where/0/value', 'compares_text'],
    ['/when/all/1/value', 'compares_text'],
  ]);
});

test.each([
  ['now', 'running', 'past_enters'],
  ['before', 'running', undefined],
  ['never', 'running', 'past_not_taken'],
  ['never', 'draft', undefined],
] as const)('a journey that takes people of before %s, and is %s: %s', async (placing, state, code) => {
  const body = { name: 'J', state, trigger: { identified: true }, include_current: 'as_of_trigger' };
  const journey = parseJourney(body);
  if (!journey.ok) throw new Error('the journey is good');
  const told = await ruleWarnings(() => Promise.resolve([]), {
    ...asked,
    definition: journey.value,
    placing,
  });
  expect(told.map((one) => one.code)).toEqual(code === undefined ? [] : [code]);
});

test.each([
  [{ segment: 'vip', on: 'entered' }, true, ['current_not_taken']],
  [{ event: 'Added to Cart' }, true, ['current_not_taken']],
  [{ segment: 'vip', on: 'entered' }, false, []],
])('a journey on %j that includes the current people %j: %j', async (trigger, include_current, codes) => {
  const read = parseJourney({ name: 'J', state: 'draft', trigger, include_current });
  if (!read.ok) throw new Error('the journey is good');
  const found = await ruleWarnings(() => Promise.resolve([{ name: 'Added to Cart' }]), {
    ...asked,
    definition: read.value,
  });
  expect(found.map(({ code }) => code)).toEqual(codes);
});
