import { expect, test } from '@jest/globals';
import { parseSegment } from '../rules/parse.ts';
import { ruleWarnings } from './rule-warnings.ts';

const body = { name: 'A', type: 'data_driven', when: { event: 'Nope' } };
const parsed = parseSegment(body);
if (!parsed.ok) throw new Error('the segment is good');
const asked = { workspace: 'shop', definition: parsed.value, isNewRule: false, isPlacing: false };
const time = { now: () => 0, monotonicMs: () => 0, sleep: () => Promise.resolve() };

test('tables that cannot be read, or not in time, cost the warnings about names and nothing else', async () => {
  const never = new Promise<never>(() => undefined);
  expect(await ruleWarnings(() => never, asked, time)).toEqual([]);
  expect(await ruleWarnings(() => Promise.reject(new Error('away')), asked)).toEqual([]);
  expect(await ruleWarnings(() => Promise.resolve([]), asked)).toMatchObject([{ code: 'event_never_seen' }]);
});
