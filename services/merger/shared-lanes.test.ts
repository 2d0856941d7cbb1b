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

describe('releases of very many lanes of one workspace', () => {
  const events = 499;
  /** So many lanes of the workspace have so many events each, all asked for. */
  function asked(lanes: LaneScenario, count: number, eventsEach: number) {
    const visits = Array.from({ length: count * eventsEach }, (_, n) =>
      visit(`x${String(n % count)}`, `v${String(n)}`, T - 1),
    );
    lanes.batch(...visits);
    return lanes.batch(
      ...Array.from({ length: count }, (_, n) => identify(`x${String(n)}`, `p${String(n)}`, T + n)),
    );
  }
  const quietly = (lanes: LaneScenario, eventsEach: number) => {
    lanes.batch(...Array.from({ length: eventsEach }, (_, n) => ofQuiet(visit('q', `w${String(n)}`, T - 1))));
    return lanes.batch(ofQuiet(identify('q', 'quiet', T + 50)));
  };
  const ofQuietIn = (lines: readonly string[]) => lines.filter((line) => line.startsWith('cio_quiet:'));

  test('leave another its turn in the very batch of its answer', () => {
    const lanes = new LaneScenario();
    const flood = asked(lanes, 14, events);
    const quiet = quietly(lanes, 2);
    const out = lanes.batch(...grant(flood), ...grant(quiet));
    expect(ofQuietIn(merged(out))).toEqual(['cio_quiet: w0*', 'cio_quiet: w1*', 'cio_quiet: identify quiet']);
    lanes.idle();
    expect(merged(lanes.harness.outputs).length).toBe(14 * (events + 1) + 3);
    lanes.harness.crash();
  });

  test('and long ones leave a long one of another a part of every batch', () => {
    const lanes = new LaneScenario();
    const flood = asked(lanes, 3, 9_000);
    const quiet = quietly(lanes, 1_500);
    lanes.batch(...grant(flood), ...grant(quiet));
    for (let batch = 0; batch < 3; batch += 1) lanes.batch();
    expect(ofQuietIn(merged(lanes.harness.outputs)).length).toBe(1_501);
    expect(merged(lanes.harness.outputs).length).toBeLessThan(3 * 9_001);
    lanes.harness.crash();
    lanes.idle();
    expect(merged(lanes.harness.outputs).length).toBe(3 * 9_001 + 1_501);
  });
});

describe('a workspace with as many visitors as may be', () => {
  const lanesMax = { max: 6_000, ofWorkspaceMax: 3_000, reservedMin: 500 };
  function crowded(): LaneScenario {
    const open: typeof lanesService.open = (partition, partitions, stores, codecs) =>
      new LanesProcessor({ partition, partitions, lanes: lanesMax }, stores, codecs);
    const lanes = new LaneScenario({}, { ...lanesService, open });
    lanes.batch(...grant(lanes.batch(visit('known', 'past', T), identify('known', 'k', T))));
    lanes.batch(...Array.from({ length: 5_000 }, (_, n) => visit(`v${String(n)}`, 'hit', T + 1)));
    return lanes;
  }
  const reasons = (lanes: LaneScenario): string[] =>
    of('eventsDropped', lanes.harness.outputs).map(({ value }) => value.reason);

  test('has those of others dropped with a row; who was claimed goes on, and so does another workspace', () => {
    const lanes = crowded();
    const { length } = reasons(lanes);
    expect(new Set(reasons(lanes))).toEqual(new Set(['lanes_full']));
    expect(length).toBeGreaterThan(1_000);
    expect(length).toBeLessThan(3_000);
    const out = lanes.batch(
      visit('known', 'after', T + 2),
      identify('late', 'late', T + 2),
      ofQuiet(visit('q', 'past', T + 2)),
      ofQuiet(identify('q', 'quiet', T + 3)),
    );
    expect(merged(out)).toEqual(['cio_k: after*']);
    expect(requests(out).map(({ identifier }) => identifier)).toEqual(['quiet']);
    expect(merged(lanes.batch(...grant(out)))).toEqual(['cio_quiet: past*', 'cio_quiet: identify quiet']);
    expect(reasons(lanes)).toHaveLength(length + 1);
  });

  test('has room again when they have expired, and the same after a kill', () => {
    const lanes = crowded();
    lanes.harness.crash();
    const { length } = reasons(lanes);
    const later = T + 40 * 86_400_000;
    lanes.batch(visit('another', 'hit', later));
    expect(reasons(lanes)).toHaveLength(length);
    expect(lanes.harness.replay({ reopenEachBatch: true })).toEqual(lanes.harness.outputs);
  });

  const withdraws = (name: string, at: number) =>
    visit(name, `${name} withdraws`, at, { type: 'withdrawal', name: null });

  test('erases all the same who withdraws their consent', () => {
    const lanes = crowded();
    lanes.batch(withdraws('v0', T + 2));
    expect(reasons(lanes).at(-1)).toBe('consent_withdrawn');
    expect(lanes.harness.replay({ reopenEachBatch: true })).toEqual(lanes.harness.outputs);
  });

  test('has those who withdrew for ever: a word on consent, which needs no key, fills the index no more than events do', () => {
    const open: typeof lanesService.open = (partition, partitions, stores, codecs) =>
      new LanesProcessor({ partition, partitions, lanes: lanesMax }, stores, codecs);
    const lanes = new LaneScenario({}, { ...lanesService, open });
    lanes.batch(...Array.from({ length: 5_000 }, (_, n) => withdraws(`v${String(n)}`, T + 1)));
    const later = T + 40 * 86_400_000;
    lanes.batch(visit('another', 'hit', later));
    expect(reasons(lanes).at(-1)).toBe('lanes_full');
  });
});
