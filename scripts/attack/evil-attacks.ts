/** What somebody may do to their neighbours with all keys of a workspace of their own. */
import { assert } from '../../services/runtime/errors.ts';
import { times, type Attack } from './attack.ts';
import type { Caller, Item } from './caller.ts';

const control = '\u0001';
/** As costly as a pattern may be: about 1,000 instructions (contract, *Definitions*). */
const dear = '(?:[ab]?[cd]*){190}[xy]$';
/** As long as a name and a description may be. */
const hugeName = control.repeat(1_000);
const hugeDescription = control.repeat(4_000);
const definitionsMax = 20;

function ownWorkspace(name: string, run: Attack['run']): Attack {
  return { name, by: 'own workspace', run };
}

/** What is refused would attack nothing. */
async function define(
  caller: Caller,
  kind: 'segments' | 'journeys',
  id: string,
  definition: object,
): Promise<void> {
  const status = await caller.app('PUT', `/v1/definitions/${kind}/${id}`, definition);
  assert(status === 200 || status === 202, `a definition is taken, not answered ${String(status)}`);
}

export const evilAttacks: readonly Attack[] = [
  ownWorkspace('journeys and segments with huge names', async (caller, size) => {
    for (let each = 0; each < definitionsMax; each += 1) {
      const trigger = { event: 'Named' };
      const frequency = { mode: 'every_rematch' };
      const texts = { name: hugeName, description: hugeDescription };
      await define(caller, 'journeys', `huge-${String(each)}`, {
        ...texts,
        state: 'running',
        trigger,
        frequency,
      });
      const when = { event: 'Named' };
      await define(caller, 'segments', `huge-${String(each)}`, { ...texts, type: 'data_driven', when });
    }
    await caller.batch(
      times(2_000 * size, (i) => ({ type: 'track', userId: `named-${String(i % 20)}`, event: 'Named' })),
    );
  }),
  ownWorkspace('patterns as dear as they may be, on long texts', async (caller, size) => {
    for (let each = 0; each < 5; each += 1) {
      const test = { property: 'text', operator: 'matches', value: dear };
      const when = {
        all: Array.from({ length: 4 }, () => ({
          event: 'Tested',
          where: [test],
          count: { at_least: 1_000 },
        })),
      };
      await define(caller, 'segments', `dear-${String(each)}`, { name: 'Dear', type: 'data_driven', when });
    }
    const text = 'abcd'.repeat(2_250);
    await caller.batch(
      times(3_000 * size, (i): Item => ({
        type: 'track',
        userId: `tested-${String(i % 500)}`,
        event: 'Tested',
        properties: { text },
      })),
    );
  }),
  ownWorkspace('counts of long values for one person', async (caller, size) => {
    for (let each = 0; each < definitionsMax; each += 1) {
      const when = { event: 'Counted', count: { distinct: 'value', at_least: 200 } };
      await define(caller, 'segments', `counting-${String(each)}`, {
        name: 'Counting',
        type: 'data_driven',
        when,
      });
    }
    const value = 'v'.repeat(5_000);
    await caller.batch(
      times(5_000 * size, (i) => ({
        type: 'track',
        userId: 'counter',
        event: 'Counted',
        properties: { value: `${String(i)}${value}` },
      })),
    );
  }),
  ownWorkspace('a storm of merges into one person', async (caller, size) => {
    const people = Math.round(3_000 * size);
    await caller.batch(
      times(people, (i) => ({
        type: 'identify',
        userId: `drop-${String(i)}`,
        anonymousId: `cloud-${String(i)}`,
        traits: { n: i },
      })),
    );
    const merges = Array.from({ length: people }, (_, i) => ({
      type: 'person',
      action: 'merge',
      primary: { id: 'sea' },
      secondary: { id: `drop-${String(i)}` },
    }));
    await caller.track('PUT', '/v1/customers/sea', { n: 1 });
    for (let from = 0; from < merges.length; from += 500) {
      await caller.track('POST', '/v2/batch', { batch: merges.slice(from, from + 500) });
    }
  }),
  ownWorkspace('a chain of merges, each survivor absorbed by the next', async (caller, size) => {
    const people = Math.round(3_000 * size);
    await caller.batch(
      times(people, (i) => ({
        type: 'identify',
        userId: `link-${String(i)}`,
        anonymousId: `chain-${String(i)}`,
        traits: { n: i },
      })),
    );
    const merges = Array.from({ length: people - 1 }, (_, i) => ({
      type: 'person',
      action: 'merge',
      primary: { id: `link-${String(i + 1)}` },
      secondary: { id: `link-${String(i)}` },
    }));
    for (let from = 0; from < merges.length; from += 500) {
      await caller.track('POST', '/v2/batch', { batch: merges.slice(from, from + 500) });
    }
    await caller.batch(
      times(people, (i) => ({ type: 'track', anonymousId: `chain-${String(i)}`, event: 'Hit' })),
    );
  }),
  ownWorkspace('aliases in rings', (caller, size) =>
    caller.batch(
      times(5_000 * size, (i) => ({
        type: 'alias',
        previousId: `ring-${String(i % 50)}`,
        userId: `ring-${String((i + 1 + Math.floor(i / 50)) % 50)}`,
      })),
    ),
  ),
  ownWorkspace('identifies behind deletions of the same person', (caller, size) =>
    caller.batch(
      times(5_000 * size, (i) => [
        { type: 'identify', userId: 'phoenix', anonymousId: `ashes-${String(i)}`, traits: { n: i } },
        { type: 'track', userId: 'phoenix', event: 'User Deleted' },
      ]),
    ),
  ),
];
