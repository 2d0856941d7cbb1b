/** Sums over the processors of a task's partitions; an open batch is unsettled, too. */
import type { PartitionRunner } from '../partition-runner.ts';
import { waitingBy } from '../share/waiting-alarm.ts';

export function gaugesOf(
  runners: readonly PartitionRunner[],
  { isBatchOpen }: { readonly isBatchOpen: boolean },
): Record<string, number> {
  const sums: Record<string, number> = { unsettled: isBatchOpen ? 1 : 0, dead_letters: 0 };
  for (const { processor, deadLetters, waiting } of runners) {
    sums.dead_letters = (sums.dead_letters ?? 0) + deadLetters;
    if (waiting !== undefined) {
      sums.unsettled = (sums.unsettled ?? 0) + waiting.records;
      sums.waiting_records = (sums.waiting_records ?? 0) + waiting.records;
      sums.waiting_bytes = (sums.waiting_bytes ?? 0) + waiting.bytes;
    }
    for (const [name, value] of Object.entries(processor.status())) {
      if (name !== 'watermark') sums[name] = (sums[name] ?? 0) + value;
    }
  }
  if (sums.waiting_records !== undefined) {
    sums.waiting_workspaces = waitingBy(runners).size;
    sums.resting_workspaces = new Set(runners.flatMap(({ resting }) => resting)).size;
  }
  return sums;
}
