/** What goes wrong with machines and clocks while it is not calm, and what operators do meanwhile. */
import type { VirtualTime } from '../virtual-time.ts';
import type { Weather } from './bad-luck.ts';
import type { Machines } from './machines.ts';
import type { Random } from '../random.ts';
import type { SinkMachine } from './sink-machine.ts';

export interface StormOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
  readonly machines: readonly Machines[];
  readonly sink: SinkMachine;
  /** The clock goes on by minutes to months, not by up to an hour either way. */
  readonly leaps: boolean;
  /** The clock is right all the time. */
  readonly isSteady: boolean;
}

const PAUSE_MS_MAX = 1_500;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Around what ends a claim's grace, a lane's pause, a repeat's window and a wait for a claim. */
const leapsMs = [4 * MINUTE_MS, 6 * MINUTE_MS, 11 * MINUTE_MS, HOUR_MS, DAY_MS, 29 * DAY_MS, 31 * DAY_MS];

export async function storm(options: StormOptions): Promise<void> {
  const { time, random, weather, machines, sink, isSteady } = options;
  while (!weather.calm) {
    await time.sleep(random.below(PAUSE_MS_MAX));
    const service = random.pick(machines);
    const what = random.next();
    if (what < 0.22) service?.kill();
    else if (what < 0.32) await service?.takeOver();
    else if (what < 0.38) service?.loseDisk();
    else if (what < 0.46) service?.stop();
    else if (what < 0.56) service?.snapshot();
    else if (what < 0.58) service?.spoilSnapshot();
    else if (what < 0.65) service?.expire();
    else if (what < 0.75) service?.moveTask();
    else if (what < 0.79) void service?.changeTasks();
    else if (what < 0.88) time.jump(isSteady ? 0 : jumpMs(options));
    else if (what < 0.93) sink.kill();
    else if (what < 0.98) sink.takeOver();
  }
}

function jumpMs({ random, leaps }: StormOptions): number {
  if (leaps) return random.pick(leapsMs) ?? 0;
  return random.below(2 * HOUR_MS) - HOUR_MS;
}
