/** What time changes is told in the order of a workspace's records, also of those that wait for its share. */
import { describe, expect, test } from '@jest/globals';
import { of, type Given } from '../testing/processor-harness.ts';
import { inShares } from '../testing/in-shares.ts';
import { HOUR, MINUTE, T0, Trigger, happened, watermark } from '../testing/scenarios/trigger-scenario.ts';
import { timersABatchMax, timersATurnMax } from './due-timers.ts';
import { triggerService } from './service.ts';

const recent = { event: 'Added to Cart', within: 'PT1H' };
const watermarks = (at: number) => Array.from({ length: 8 }, (_, source) => watermark(source, at));
/** Three records of a workspace in a batch. */
const share = { unitsMax: 11, waitingRecordsMax: 1_000, waitingBytesMax: 1_000_000 };

/** The same, of another workspace. */
function ofWorkspace(workspace: string, { value, ...given }: Given<'eventsMerged'>): Given<'eventsMerged'> {
  if (value?.event == null) throw new Error('an event was given');
  const event = { ...value.event, workspace };
  const key = given.key.replace('default:', `${workspace}:`);
  return { ...given, key, value: { ...value, workspace, event } };
}

/** Who left, when by the rule, in the order in which it was told. */
function left({ harness }: Trigger): string[] {
  return of('segmentsChanged', harness.outputs)
    .filter(({ value }) => value.change === 'left')
    .map(({ key, value }) => `${key} ${String((value.at - T0) / MINUTE)}`);
}

function world(spec = inShares(triggerService, share)): Trigger {
  const trigger = new Trigger(spec).segment('recent', recent);
  const when = { name: 'recent', type: 'data_driven', when: recent };
  trigger.harness.define('segment', 'quiet', 'recent', when);
  return trigger;
}

describe('a timer of a workspace whose records wait for its share', () => {
  test('waits for those that were received before it, and holds up no other workspace', () => {
    const trigger = world();
    const { harness } = trigger;
    const one = happened({ person: 'cio_a' });
    harness.batch(T0, one, ofWorkspace('quiet', happened({ person: 'cio_q' })));
    const flood = Array.from({ length: 30 }, (_, n) =>
      happened({ person: 'cio_b', name: 'Other', at: T0 + MINUTE + n }),
    );
    const inTime = happened({ person: 'cio_a', at: T0 + 50 * MINUTE });
    harness.batch(T0 + 1, ...flood, inTime, ...watermarks(T0 + HOUR));
    expect(harness.processor.status()['waiting_records']).toBeGreaterThan(20);
    expect(left(trigger)).toEqual(['quiet:cio_q 60']);
    harness.flush();
    harness.batch(T0 + 2);
    harness.crash();
    harness.idle(T0 + 3);
    expect(harness.processor.status()['waiting_records']).toBe(0);
    expect(left(trigger)).toEqual(['quiet:cio_q 60']);
    harness.batch(T0 + 4, ...watermarks(T0 + 2 * HOUR));
    harness.idle(T0 + 5);
    expect(left(trigger)).toEqual(['quiet:cio_q 60', 'default:cio_a 110']);
    expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
  });

  test('runs as soon as all that comes before it is handled, while later records still wait', () => {
    const trigger = world();
    const { harness } = trigger;
    harness.batch(T0, happened({ person: 'cio_a' }));
    const later = Array.from({ length: 40 }, (_, n) =>
      happened({ person: 'cio_b', name: 'Other', at: T0 + 61 * MINUTE + n }),
    );
    const before = Array.from({ length: 8 }, () =>
      happened({ person: 'cio_c', name: 'Other', at: T0 + MINUTE }),
    );
    harness.batch(T0 + 1, ...before, ...watermarks(T0 + HOUR), ...later);
    expect(left(trigger)).toEqual([]);
    for (let batch = 2; left(trigger).length === 0 && batch < 10; batch += 1) harness.batch(T0 + batch);
    expect(left(trigger)).toEqual(['default:cio_a 60']);
    expect(harness.processor.status()['waiting_records']).toBeGreaterThan(20);
  });
});

test('very many timers of one workspace leave another its turn in the same batch', () => {
  const trigger = world(triggerService);
  const { harness } = trigger;
  const many = Array.from({ length: 3 * timersABatchMax }, (_, n) =>
    happened({ person: `cio_${String(n)}` }),
  );
  harness.batch(T0, ...many);
  harness.batch(T0, ofWorkspace('quiet', happened({ person: 'cio_q', at: T0 + 1 })));
  harness.batch(T0 + 1, ...watermarks(T0 + 2 * HOUR));
  const first = left(trigger);
  expect(first).toHaveLength(timersABatchMax);
  expect(first.findIndex((line) => line.startsWith('quiet:'))).toBe(timersATurnMax);
  harness.flush();
  harness.crash();
  harness.idle(T0 + 2);
  expect(new Set(left(trigger)).size).toBe(3 * timersABatchMax + 1);
  expect(left(trigger)).toHaveLength(3 * timersABatchMax + 1);
  expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
});

test('a workspace with lanes that are not done keeps its own timers waiting, and those of no other', () => {
  const trigger = world(triggerService);
  const { harness } = trigger;
  harness.batch(T0, happened({ person: 'cio_a' }), ofWorkspace('quiet', happened({ person: 'cio_q' })));
  const behind = watermark(5, T0 + 10 * MINUTE, 'default');
  harness.batch(T0 + 1, behind, ...watermarks(T0 + 2 * HOUR));
  expect(left(trigger)).toEqual(['quiet:cio_q 60']);
  harness.flush();
  harness.crash();
  // What the lanes had in hand comes at last, and the timer goes by it.
  harness.batch(T0 + 2, happened({ person: 'cio_a', at: T0 + 30 * MINUTE }));
  harness.idle(T0 + 3);
  expect(left(trigger)).toEqual(['quiet:cio_q 60']);
  harness.batch(T0 + 4, ...watermarks(T0 + 2 * HOUR + 1));
  harness.idle(T0 + 5);
  expect(left(trigger)).toEqual(['quiet:cio_q 60', 'default:cio_a 90']);
  expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
});
