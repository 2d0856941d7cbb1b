/** What a reading of the past holds in memory: marks, and not the events that left them. */
import { expect, test } from '@jest/globals';
import { isCounted, leavesOf } from '../../rules/condition.ts';
import { parseSegment } from '../../rules/parse.ts';
import { T0 } from '../../testing/scenarios/trigger-scenario.ts';
import type { PastEvent, PastSource } from './source.ts';
import { stretches } from './stretches.ts';

const EVENTS = 5_000;

test('however much somebody has done, each event is counted before the next one is taken', async () => {
  const where = [{ property: 'sku', operator: 'eq', value: 'boots' }];
  const when = { event: 'Product Viewed', where, count: { at_least: 3 } };
  const parsed = parseSegment({ name: 'x', type: 'data_driven', when });
  if (!parsed.ok || parsed.value.type !== 'data_driven') throw new Error('the rule is good');
  const conditions = leavesOf(parsed.value.when).filter(isCounted);
  let [taken, looked, waitingMax] = [0, 0, 0];
  async function* events(): AsyncGenerator<PastEvent> {
    for (; taken < EVENTS; taken += 1) {
      waitingMax = Math.max(waitingMax, taken - looked);
      const messageId = `m${String(taken)}`;
      const happened = { type: 'event', name: 'Product Viewed', messageId, time: T0 + taken } as const;
      const properties = () => {
        looked += 1;
        return { sku: 'boots' };
      };
      const event = { ...happened, receivedAt: T0 + taken, properties };
      yield await Promise.resolve({
        ...{ writtenId: 'cio_a', personId: 'cio_a', partition: 1, offset: taken, event },
      });
    }
  }
  const source: PastSource = {
    read: () => Promise.resolve({ people: new Map([[1, 1]]), asOf: T0, asOfFact: 1, events: events() }),
    person: () => Promise.reject(new Error('nobody asks for one')),
  };
  const rules = [{ key: 's:x', version: 1, fence: EVENTS - 1, after: '', conditions }];
  const told = [];
  for await (const { message } of stretches([{ workspace: 'w', partition: 1, rules }], source, 1)) {
    told.push(message.type === 'stretch' ? message.found.map(({ marks }) => marks.map(([, id]) => id)) : []);
  }
  expect(told).toEqual([[['m4998', 'm4997', 'm4996']], []]);
  expect(waitingMax).toBeLessThanOrEqual(1);
});
