import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { toWorkspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import { defaultSettings, type WorkspaceSettings } from '../runtime/workspace-settings.ts';
import { RateLimits } from './rate-limits.ts';

const shop = toWorkspace('shop');
const one: KnownKey = { id: 'key_1', kind: 'server', workspace: shop };
const two: KnownKey = { id: 'key_2', kind: 'server', workspace: shop };

class World {
  nowMs = 0;
  settings: WorkspaceSettings = defaultSettings;
  readonly limits = new RateLimits(
    () => this.settings,
    () => this.nowMs,
  );
  constructor(limits: Partial<WorkspaceSettings['rate_limits']>) {
    this.settings = { ...defaultSettings, rate_limits: { ...defaultSettings.rate_limits, ...limits } };
  }
}

describe('rate limits', () => {
  test('are off: any number of calls goes', () => {
    const { limits } = new World({});
    for (let count = 0; count < 10_000; count++) {
      expect(limits.waitS(one)).toBeUndefined();
      limits.charge(one, { calls: 100, bytes: 1_000_000 });
    }
  });

  test('of a key hold for that key, of a workspace for all its keys', () => {
    const perKey = new World({ key_calls: { per_second: 1, burst: 2 } });
    expect([1, 2, 3].map(() => perKey.limits.waitS(one))).toEqual([undefined, undefined, 1]);
    expect(perKey.limits.waitS(two)).toBeUndefined();
    const perWorkspace = new World({ workspace_calls: { per_second: 1, burst: 2 } });
    expect([one, two, one, two].map((key) => perWorkspace.limits.waitS(key))).toEqual([
      undefined,
      undefined,
      1,
      1,
    ]);
    const elsewhere = { ...one, id: 'key_3', workspace: toWorkspace('other') };
    expect(perWorkspace.limits.waitS(elsewhere)).toBeUndefined();
  });

  test('a batch larger than the bucket passes once, and is paid for before the next', () => {
    const world = new World({ key_calls: { per_second: 10 }, key_bytes: { per_second: 100 } });
    expect(world.limits.waitS(one)).toBeUndefined();
    world.limits.charge(one, { calls: 99, bytes: 1_000 });
    expect(world.limits.waitS(one)).toBe(10); // 90 calls in debt and one to go; 900 bytes in debt
    world.nowMs = 9_099;
    expect(world.limits.waitS(one)).toBe(1);
    world.nowMs = 9_110;
    expect(world.limits.waitS(one)).toBeUndefined();
  });

  test('less than one call a second lets one pass in that time', () => {
    const world = new World({ key_calls: { per_second: 0.1 } });
    expect([world.limits.waitS(one), world.limits.waitS(one)]).toEqual([undefined, 10]);
    world.nowMs = 10_000;
    expect(world.limits.waitS(one)).toBeUndefined();
  });

  test('who waits as long as they were told is let in, and no more passes than the rate allows', () => {
    const rate = fc.record({
      per_second: fc.integer({ min: 1, max: 50 }),
      burst: fc.integer({ min: 1, max: 100 }),
    });
    const steps = fc.array(
      fc.record({ pauseMs: fc.nat({ max: 500 }), calls: fc.integer({ min: 1, max: 20 }) }),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(rate, steps, (each, all) => {
        const world = new World({ key_calls: each });
        let passed = 0;
        let largest = 0;
        for (const { pauseMs, calls } of all) {
          world.nowMs += pauseMs;
          if (world.limits.waitS(one) !== undefined) continue;
          world.limits.charge(one, { calls: calls - 1, bytes: 0 });
          passed += calls;
          largest = Math.max(largest, calls);
        }
        expect(passed).toBeLessThanOrEqual(each.burst + (world.nowMs / 1_000) * each.per_second + largest);
        const wait = world.limits.waitS(one);
        if (wait === undefined) return;
        world.nowMs += wait * 1_000;
        expect(world.limits.waitS(one)).toBeUndefined();
      }),
    );
  });
});
