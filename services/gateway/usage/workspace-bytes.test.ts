import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace } from '../../../schemas/ids.ts';
import { runs } from '../../testing/runs.ts';
import type { Quotas } from '../../runtime/workspace-settings.ts';
import { WorkspaceBytes } from './workspace-bytes.ts';

const shop = toWorkspace('shop');
const other = toWorkspace('other');
const hourMs = 3_600_000;
/** 20 s before an hour, and a day, ends. */
const late = Date.parse('2026-03-04T23:59:40Z');

class World {
  nowMs = late;
  quotas: Quotas = { hour_bytes: null, day_bytes: null };
  readonly bytes: WorkspaceBytes;
  constructor(quotas: Partial<Quotas> = {}, dayBytesMax: number | null = null) {
    this.quotas = { ...this.quotas, ...quotas };
    this.bytes = new WorkspaceBytes({
      quotas: () => this.quotas,
      dayBytesMax,
      now: () => this.nowMs,
    });
  }
}

describe('what a workspace brings', () => {
  test('has no bound unless it is set', () => {
    const { bytes } = new World();
    bytes.add(shop, 1e12);
    expect(bytes.waitS(shop)).toBeUndefined();
    expect(bytes.usageOf(shop).day).toEqual({
      bytes: 1e12,
      quota_bytes: null,
      ends_at: '2026-03-05T00:00:00.000Z',
    });
  });

  test('of an hour is over until the hour ends, and holds up nobody else', () => {
    const world = new World({ hour_bytes: 100 });
    world.bytes.add(shop, 99);
    expect(world.bytes.waitS(shop)).toBeUndefined();
    world.bytes.add(shop, 1);
    expect(world.bytes.waitS(shop)).toBe(20);
    expect(world.bytes.waitS(other)).toBeUndefined();
    expect(world.bytes.overQuota).toEqual([shop]);
    world.nowMs += 19_999;
    expect(world.bytes.waitS(shop)).toBe(1);
    world.nowMs += 1;
    expect(world.bytes.waitS(shop)).toBeUndefined();
    expect(world.bytes.overQuota).toEqual([]);
  });

  test('of a day is counted over its hours; who is over both waits for the later end', () => {
    const world = new World({ hour_bytes: 60, day_bytes: 100 });
    world.nowMs = Date.parse('2026-03-04T10:30:00Z');
    world.bytes.add(shop, 60);
    expect(world.bytes.waitS(shop)).toBe(1_800);
    world.nowMs += hourMs;
    expect(world.bytes.waitS(shop)).toBeUndefined();
    world.bytes.add(shop, 60);
    expect(world.bytes.waitS(shop)).toBe(12.5 * 3_600);
  });

  test('of a day has the bound of whoever runs it, whatever the workspace says', () => {
    const world = new World({ day_bytes: 1_000 }, 100);
    world.bytes.add(shop, 100);
    expect(world.bytes.waitS(shop)).toBe(20);
    world.quotas = { hour_bytes: null, day_bytes: 50 };
    expect(world.bytes.usageOf(shop).day.quota_bytes).toBe(50);
  });

  test('is not forgotten when a clock is set back, nor by a restart', () => {
    const world = new World({ hour_bytes: 100 });
    world.bytes.add(shop, 100);
    world.nowMs -= 2 * hourMs;
    expect(world.bytes.waitS(shop)).toBe(20 + 2 * 3_600);
    const next = new World({ hour_bytes: 100 });
    next.bytes.restore(world.bytes.entries);
    expect(next.bytes.waitS(shop)).toBe(20);
  });

  test('of workspaces that bring no more is forgotten with the day', () => {
    const world = new World();
    for (let n = 0; n < 1_000; n++) world.bytes.add(toWorkspace(`w${String(n)}`), 1);
    world.nowMs += hourMs;
    world.bytes.add(shop, 1);
    expect(world.bytes.entries.map(([workspace]) => workspace)).toEqual([shop]);
  });

  test('never passes its bound by more than what was under way, and who waited as told may bring again', () => {
    const step = fc.record({ pauseMs: fc.nat(2 * hourMs), bytes: fc.integer({ min: 1, max: 200 }) });
    const bound = fc.record({
      hour_bytes: fc.integer({ min: 1, max: 500 }),
      day_bytes: fc.integer({ min: 1, max: 2_000 }),
    });
    fc.assert(
      fc.property(bound, fc.array(step, { maxLength: 80 }), (quotas, steps) => {
        const world = new World(quotas);
        const brought: { readonly at: number; readonly bytes: number }[] = [];
        for (const { pauseMs, bytes } of steps) {
          world.nowMs += pauseMs;
          const wait = world.bytes.waitS(shop);
          if (wait === undefined) {
            brought.push({ at: world.nowMs, bytes });
            world.bytes.add(shop, bytes);
          } else {
            const before = world.nowMs;
            world.nowMs += wait * 1_000;
            expect(world.bytes.waitS(shop)).toBeUndefined();
            world.nowMs = before;
          }
        }
        for (const [lengthMs, quota] of [
          [hourMs, quotas.hour_bytes],
          [24 * hourMs, quotas.day_bytes],
        ] as const) {
          const sums = new Map<number, number>();
          for (const { at, bytes } of brought) {
            const window = Math.floor(at / lengthMs);
            expect(sums.get(window) ?? 0).toBeLessThan(quota);
            sums.set(window, (sums.get(window) ?? 0) + bytes);
          }
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
