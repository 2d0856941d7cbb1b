/** Sums over the processors of a task's partitions. */
import type { PartitionRunner } from '../partition-runner.ts';

export function gaugesOf(runners: readonly PartitionRunner[]): Record<string, number> {
  const sums: Record<string, number> = { unsettled: 0, dead_letters: 0 };
  for (const { processor, deadLetters } of runners) {
    sums.dead_letters = (sums.dead_letters ?? 0) + deadLetters;
    for (const [name, value] of Object.entries(processor.status())) {
      if (name !== 'watermark') sums[name] = (sums[name] ?? 0) + value;
    }
  }
  return sums;
}
