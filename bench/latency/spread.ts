/** Percentiles and a histogram of some milliseconds. */

export interface Spread {
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** By the nearest rank: a value that was measured, never one in between. NaN for nothing. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
  return { samples: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

/** Upper ends, ms; what is above the last has a place of its own. */
const ENDS = [5, 10, 20, 30, 40, 50, 60, 80, 100, 150, 250, 500, 1_000];
const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** `≤10 ▂ 12.0 %  ≤20 █ 80.0 %`: shares of the whole; places where nothing lies are left out. */
export function histogramOf(values: readonly number[]): string {
  const counts = new Array<number>(ENDS.length + 1).fill(0);
  for (const value of values) {
    const place = ENDS.findIndex((end) => value <= end);
    const at = place < 0 ? ENDS.length : place;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const most = Math.max(...counts);
  return counts
    .flatMap((count, at) => {
      if (count === 0) return [];
      const end = ENDS[at];
      const bar = BARS[Math.ceil((count / most) * BARS.length) - 1] ?? BARS[0];
      const label = end === undefined ? `>${String(ENDS.at(-1))}` : `≤${String(end)}`;
      return [`${label} ${bar} ${((count / values.length) * 100).toFixed(1)} %`];
    })
    .join('  ');
}
