/** How the broker treats a process on a day that is not calm. */
import type { Fault, MemoryLogOptions } from '../memory/memory-log.ts';
import type { Random } from '../random.ts';

export interface Weather {
  /** No more faults. */
  calm: boolean;
}

const faults: readonly Fault[] = ['error_before', 'error_after', 'die_before', 'die_after'];
const FAULT_PROBABILITY = 0.004;
/** A process that stands still for this long wakes as a zombie, or finds its transaction timed out. */
const SLEEP_PROBABILITY = 0.000_5;
const SLEEP_MS_MAX = 60_000;

/** Slow and lost answers, deaths in the middle of a request, slices that are cut anywhere. */
export function badLuck(random: Random, weather: Weather): MemoryLogOptions {
  return {
    fault: (request) => {
      if (weather.calm || request === 'fetch' || !random.chance(FAULT_PROBABILITY)) return 'none';
      return random.pick(faults) ?? 'none';
    },
    delayMs: (request) => {
      if (weather.calm || request === 'fetch') return 1;
      return random.chance(SLEEP_PROBABILITY) ? random.below(SLEEP_MS_MAX) : random.below(5);
    },
    sliceRecords: () => (weather.calm ? 500 : 1 + random.below(40)),
    late: () => !weather.calm && random.chance(0.1),
  };
}
