/** What time turned before a journey was there is told by who reads the past, also of people whose timer runs after it. */
import { expect, test } from '@jest/globals';
import { localCodecs } from '../../schemas/codec.ts';
import { given, of, ProcessorHarness, type Output } from '../testing/processor-harness.ts';
import { happened, HOUR, MINUTE, T0, watermark } from '../testing/scenarios/trigger-scenario.ts';
import { encodePast } from './past-messages.ts';
import { triggerServiceWith } from './service.ts';

const codecs = localCodecs();
/** More than run in a batch. */
const people = Array.from({ length: 700 }, (_, index) => `p${String(index).padStart(3, '0')}`);

test('a journey that is made while timers are behind has one row for each trigger of before', () => {
  const harness = new ProcessorHarness(triggerServiceWith({ hasPasts: true }), { partitions: 1, codecs });
  const fresh = { event: 'Added to Cart', within: 'PT1M' };
  harness.define('segment', 'default', 'fresh', { name: 'Fresh', type: 'data_driven', when: fresh });
  harness.batch(T0, ...people.map((person) => happened({ person })));
  const ran = harness.batch(T0 + 1, watermark(0, T0 + HOUR));
  expect(of('segmentsChanged', ran).length).toBeLessThan(people.length);
  harness.define('journey', 'default', 'gone', {
    ...{ name: 'Gone', state: 'running', trigger: { segment: 'fresh', on: 'left' } },
    ...{ filters: { attribute: 'plan', operator: 'exists' }, include_current: 'as_of_trigger' },
  });
  const outputs: Output[] = [...harness.batch(T0 + 2), ...harness.idle(T0 + 2)];
  expect(of('segmentsChanged', [...ran, ...outputs])).toHaveLength(people.length);
  for (const personId of people) {
    const outcome = {
      ...({ type: 'journey_skipped', journeyId: 'gone', key: null, at: T0 + MINUTE } as const),
      ...({ reason: 'filters_not_met', triggerMessageId: null, ruleVersion: 2, detail: null } as const),
    };
    const found = { writtenId: personId, personId, rule: 't:gone', pointer: '', marks: [] };
    const message = {
      type: 'for',
      version: 2,
      asOf: T0,
      found: { ...found, triggers: { outcomes: [outcome] } },
    };
    const bytes = encodePast(codecs, 'default', personId, message as never); // as the reader tells it
    const told = given('triggerTransfers', `default:${personId}`, codecs.Transfer.decode(bytes));
    outputs.push(...harness.batch(T0 + 3, told));
  }
  expect(of('journeysSkipped', outputs)).toHaveLength(people.length);
  // What turns from now on is told as it comes.
  const later = T0 + 2 * HOUR;
  outputs.push(...harness.batch(T0 + 4, happened({ person: 'p000', at: later }), watermark(0, later + HOUR)));
  expect(of('journeysSkipped', outputs)).toHaveLength(people.length + 1);
});
