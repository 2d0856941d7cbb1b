/** What one workspace may take of the lanes of a partition; the rest of it waits, in its order, and nobody else does. */
import { describe, expect, test } from '@jest/globals';
import type { CollectedEvent } from '../../schemas/records.ts';
import { disorderMs } from '../runtime/task/loop/watermarks.ts';
import { inShares } from '../testing/in-shares.ts';
import { of, type Given } from '../testing/processor-harness.ts';
import {
  grant,
  identify,
  LaneScenario,
  merged,
  requests,
  T,
  visit,
} from '../testing/scenarios/lanes-scenario.ts';
import { LanesProcessor } from './processor.ts';
import { lanesService } from './service.ts';

const share = {
  unitsMax: 1_000,
  waitingRecordsMax: 1_000,
  waitingBytesMax: 1_000_000,
  topics: ['eventsCollected'] as const,
};

function ofQuiet({ value, ...given }: Given): Given {
  const event = { ...(value as CollectedEvent), workspace: 'quiet' };
  return { ...given, key: given.key.replace('default:', 'quiet:'), value: event };
}

/** So many lanes of a workspace may ask at once. */
function lanesThatAsk(ofWorkspaceMax: number, units = share.unitsMax): LaneScenario {
  const busyLanes = { max: 100, ofWorkspaceMax, reservedMin: 1 };
  const few = {
    ...lanesService,
    open: (...[partition, partitions, stores, codecs]: Parameters<typeof lanesService.open>) =>
      new LanesProcessor({ partition, partitions, busyLanes }, stores, codecs),
  };
  return new LaneScenario({}, inShares(few, { ...share, unitsMax: units }));
}

describe('a workspace of which as many lanes ask as may', () => {
  test('has the rest of its events wait, in order, while another asks and is answered; the watermark stands', () => {
    const lanes = lanesThatAsk(3);
    const { harness } = lanes;
    const flood = Array.from({ length: 8 }, (_, n) => identify(`x${String(n)}`, `p${String(n)}`, T + n));
    const asked = lanes.batch(visit('x7', 'before', T - 1), ...flood, visit('x7', 'after', T + 9));
    expect(requests(asked).map(({ identifier }) => identifier)).toEqual(['p0', 'p1', 'p2']);
    expect(harness.processor.status()).toMatchObject({ unsettled: 3, waiting_records: 6 });
    const quiet = lanes.batch(ofQuiet(identify('q', 'quiet', T + 20)));
    expect(requests(quiet).map(({ identifier }) => identifier)).toEqual(['quiet']);
    expect(merged(lanes.batch(...grant(quiet)))).toEqual(['cio_quiet: identify quiet']);
    expect(harness.processor.wantsBatch(T + 20, undefined as never)).toBe(false);
    expect(harness.processor.pendingSince()).toEqual({ offset: 1, receivedAt: T + 3 - disorderMs });
    harness.flush();
    let out = asked;
    for (let round = 0; requests(out).length > 0; round += 1) {
      out = [...lanes.batch(...grant(out)), ...lanes.idle()];
      if (round === 0)
        expect(harness.processor.pendingSince()).toEqual({ offset: 4, receivedAt: T + 6 - disorderMs });
      harness.crash();
    }
    expect(harness.processor.status()).toMatchObject({ unsettled: 0, waiting_records: 0 });
    expect(harness.processor.pendingSince()).toBeUndefined();
    const all = merged(harness.outputs).filter((line) => line.startsWith('cio_p7'));
    expect(all).toEqual(['cio_p7: before*', 'cio_p7: identify p7', 'cio_p7: after*']);
    expect(of('eventsDropped', harness.outputs)).toEqual([]);
    expect(harness.replay({ reopenEachBatch: true })).toEqual(harness.outputs);
  });

  test('takes its share of a batch of identifies, and another is handled as it is read', () => {
    const lanes = lanesThatAsk(90, 25);
    const flood = Array.from({ length: 40 }, (_, n) => identify(`x${String(n)}`, `p${String(n)}`, T + n));
    const out = lanes.batch(...flood, ofQuiet(identify('q', 'quiet', T + 50)));
    const asked = requests(out).map(({ identifier }) => identifier);
    expect(asked.slice(0, 5)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4']);
    expect(asked).toContain('quiet');
    expect(asked.length).toBeLessThan(10);
    lanes.idle();
    expect(requests(lanes.harness.outputs)).toHaveLength(41);
  });
});
