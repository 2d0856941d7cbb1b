/** Deciding about the past of a journey shares its process with what is decided as it comes, and gives way. */
import { expect, test } from '@jest/globals';
import { Definitions } from '../../runtime/definitions.ts';
import { MINUTE, T0 } from '../../testing/scenarios/trigger-scenario.ts';
import { replayedRules } from '../decide/replayed-rules.ts';
import { historiesOf, type HistoryRow } from './history-source.ts';
import { PacedReplays } from './paced-replays.ts';
import { historyEventsMax } from './reading-chunks.ts';
import type { PastHistories } from './source.ts';
import { triggerStretches, type TriggersRead } from './trigger-stretches.ts';

const cart = { event: 'Added to Cart' };
const body = {
  ...{ name: 'J', state: 'running', include_current: 'as_of_trigger', trigger: cart },
  ...{ frequency: { mode: 'every_rematch' }, filters: { ...cart, count: { at_least: 50 } } },
};

function rules() {
  const definitions = new Definitions();
  const shared = { workspace: 'w', kind: 'journey', id: 'j', deleted: false, at: T0, version: 1 } as const;
  definitions.apply(0, { ...shared, body: JSON.stringify(body) });
  const stored = definitions.get('journey', 'w', 'j');
  const replayed = stored && replayedRules(definitions, 'w', stored);
  if (replayed === undefined) throw new Error('the journey is good');
  return replayed;
}

function row(index: number): HistoryRow {
  const at = T0 + index * MINUTE;
  return {
    ...{
      personId: 'cio_a',
      type: 'event',
      name: cart.event,
      messageId: `m${String(index)}`,
      anonymousId: null,
    },
    ...{
      timestamp: at,
      receivedAt: at,
      mergedAt: at,
      previouslyAnonymous: false,
      properties: null,
      bot: false,
    },
  };
}

test('what comes has its turn however long the history of somebody is', async () => {
  const profile = { personId: 'cio_a', id: null, email: null, attributes: null, relationships: null };
  const rows = Array.from({ length: historyEventsMax }, (_, index) => row(index));
  const histories = historiesOf([{ ...profile, firstSeenAt: T0 }], rows);
  const source: PastHistories = {
    histories: async function* () {
      yield await Promise.resolve({
        people: [{ writtenId: 'cio_a', histories }],
        of: 1,
        asOf: T0,
        asOfFact: 1,
      });
    },
  };
  const readTo = T0 + historyEventsMax * MINUTE;
  const rule = { key: 't:j', version: 1, fence: historyEventsMax, after: '', conditions: [] };
  const placing = { journeyId: 'j', fences: [historyEventsMax], metAt: T0, readTo };
  const wanted = { workspace: 'w', partition: 0, placing, rules: [rule] };
  let [outcomes, turns, isOver] = [0, 0, false];
  const other = (): void => {
    turns += 1;
    if (!isOver) setImmediate(other);
  };
  setImmediate(other);
  const began = process.cpuUsage();
  const pace = new PacedReplays();
  const read: TriggersRead = { replayed: rules(), factsTo: 1, run: (steps) => pace.run(steps) };
  for await (const message of triggerStretches(wanted, source, read)) {
    if (message.type !== 'stretch') continue;
    for (const { triggers } of message.found) outcomes += triggers?.outcomes.length ?? 0;
  }
  isOver = true;
  const { user } = process.cpuUsage(began);
  expect(outcomes).toBe(historyEventsMax);
  expect(turns).toBeGreaterThan(user / 1_000 / 20); // one in 20 ms of the processor's time, at the least
});
