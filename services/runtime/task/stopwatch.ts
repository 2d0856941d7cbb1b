/** Where the time of a start goes: laps, one after another, that add up to the whole. */
import type { TimePort } from '../time.ts';

/** Milliseconds by lap, in order. */
export type Laps = Readonly<Record<string, number>>;

export class Stopwatch {
  readonly #time: Pick<TimePort, 'monotonicMs'>;
  readonly #laps: Record<string, number> = {};
  #from: number;

  /** @param from monotonic ms of its start; now when it is left out. */
  constructor(time: Pick<TimePort, 'monotonicMs'>, from = time.monotonicMs()) {
    this.#time = time;
    this.#from = from;
  }

  /** The time since the last lap was spent on this. */
  lap(name: string): void {
    const now = this.#time.monotonicMs();
    this.#laps[name] = Math.round((this.#laps[name] ?? 0) + now - this.#from);
    this.#from = now;
  }

  get laps(): Laps {
    return { ...this.#laps };
  }
}

export function sumOf(laps: Laps): number {
  return Object.values(laps).reduce((sum, ms) => sum + ms, 0);
}

/** "live in 412 ms: fence 12, journal 30, …" without what took no time. */
export function describeLaps(laps: Laps): string {
  const parts = Object.entries(laps).filter(([, ms]) => ms > 0);
  const detail = parts.map(([name, ms]) => `${name} ${String(ms)}`).join(', ');
  return `${String(sumOf(laps))} ms${detail === '' ? '' : `: ${detail}`}`;
}
