import { describe, expect, test } from '@jest/globals';
import { VirtualTime } from '../../../testing/virtual-time.ts';
import { Definitions } from '../../definitions.ts';
import { TaskClock } from './clock.ts';

function definitionsAt(clock: number | undefined): Definitions {
  const definitions = new Definitions();
  definitions.clock = clock;
  return definitions;
}
const unset = definitionsAt(undefined);

describe("a task's clock", () => {
  test('is the wall clock, and never runs backwards', () => {
    const time = new VirtualTime(5_000);
    const clock = new TaskClock(time, false);
    expect(clock.read(unset)).toBe(5_000);
    time.jump(-3_000);
    expect(clock.read(unset)).toBe(5_000);
    time.jump(4_000);
    expect(clock.read(unset)).toBe(6_000);
  });
  test('goes on where the journal left it', () => {
    const clock = new TaskClock(new VirtualTime(5_000), false);
    clock.advanceTo(9_000);
    expect(clock.read(unset)).toBe(9_000);
  });
  test('stands, as a test clock, at the latest of what was set and what was received', () => {
    const clock = new TaskClock(new VirtualTime(5_000_000), true);
    expect(clock.read(definitionsAt(1_000))).toBe(1_000);
    clock.advanceTo(1_500);
    expect(clock.read(definitionsAt(1_200))).toBe(1_500);
    expect(clock.read(definitionsAt(2_000))).toBe(2_000);
  });
  test('is the wall clock until a test clock is first set, which may be earlier', () => {
    const clock = new TaskClock(new VirtualTime(5_000_000), true);
    expect(clock.read(unset)).toBe(5_000_000);
    expect(clock.read(definitionsAt(1_000))).toBe(1_000);
  });
});
