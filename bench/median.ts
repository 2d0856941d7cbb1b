/** Of several runs of one thing. */

/** The middle one; of an even number, what lies between the two in the middle. NaN for nothing. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? NaN) + (high ?? NaN)) / 2;
}

/** `least / median / greatest`, with so many digits behind the point. */
export function leastMedianGreatest(values: readonly number[], digits: number): string {
  const three = [Math.min(...values), medianOf(values), Math.max(...values)];
  return three.map((value) => value.toFixed(digits)).join(' / ');
}
