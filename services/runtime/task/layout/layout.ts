/**
 * How many tasks a service has, and since which layout. Both stand in the journal: the newest layout that any of its
 * partitions ends with is in force. Every transactional id carries the layout, so the ids of an older one, which the
 * command that changes the number of tasks has fenced, never come back.
 *
 * A task that this command has closed ends with a batch of the next layout that says so by a negative number: so many
 * tasks there were. Nothing of the layout before runs from then on; and while nothing but such batches is there of the
 * next one, the command has not ended, and nothing of that runs either.
 */
import type { Codec } from '../../../../schemas/codec.ts';
import type { BatchRecord } from '../../../../schemas/records.ts';
import type { TopicId } from '../../../../schemas/topics.ts';
import { CodedError } from '../../errors.ts';
import { Journal } from '../batch/journal.ts';
import { scan, type ScanPorts, type Stretch } from '../batch/log-scan.ts';

export interface Layout {
  readonly layout: number;
  readonly tasks: number;
}

/** Every batch leaves a record and a marker, so the last of these offsets hold a record, as a rule. */
const TAIL_RECORDS = 2_048;

/** The layout in force; undefined while the journal is empty. */
export async function readLayout(
  ports: ScanPorts,
  journal: TopicId,
  codec: Codec<'BatchRecord'>,
): Promise<Layout | undefined> {
  return newestLayout(await readLastBatches(ports, journal, codec));
}

/** Its number of tasks is negative while the command that closes the one before has not ended. */
export function newestLayout(last: ReadonlyMap<number, BatchRecord>): Layout | undefined {
  let newest: Layout | undefined;
  for (const { layout, tasks } of last.values()) {
    const { layout: known, tasks: knownTasks } = newest ?? { layout: 0, tasks: 0 };
    if (layout > known || (layout === known && tasks > knownTasks)) newest = { layout, tasks };
  }
  return newest;
}

export function isClosing(batch: { readonly tasks: number }): boolean {
  return batch.tasks < 0;
}

/** The last committed batch of each journal partition that has one. */
export async function readLastBatches(
  ports: ScanPorts,
  journal: TopicId,
  codec: Codec<'BatchRecord'>,
): Promise<ReadonlyMap<number, BatchRecord>> {
  const [starts, ends] = await Promise.all([
    ports.log.admin.startOffsets(journal),
    ports.log.admin.endOffsets(journal),
  ]);
  const stretches: Stretch[] = ends.map((to, partition) => ({
    topic: journal,
    partition,
    from: Math.max(starts[partition] ?? 0, to - TAIL_RECORDS),
    to,
  }));
  const last = new Map<number, BatchRecord>();
  for await (const slice of scan(ports, stretches)) {
    slice.forEach((record) => {
      last.set(slice.partition, codec.decode(record.bytes, record.valueStart, record.valueEnd));
    });
  }
  // After a thousand aborted transactions they hold none.
  for (const { partition, from } of stretches) {
    if (last.has(partition) || from <= (starts[partition] ?? 0)) continue;
    const found = await new Journal(ports, codec, journal, partition).last();
    if (found !== undefined) last.set(partition, found);
  }
  return last;
}

/** @throws CodedError `tasks_differ` when the service is configured for another number than the journal's, or none is. */
export function layoutInForce(service: string, found: Layout | undefined, tasks: number): Layout {
  if (found === undefined) return { layout: 1, tasks };
  if (found.tasks === tasks) return found;
  throw new CodedError(
    'tasks_differ',
    `could not start ${service} with ${String(tasks)} tasks: ` +
      (isClosing(found)
        ? 'a change of their number has not ended'
        : `its journal was written by ${String(found.tasks)}`),
    { hint: `Stop it everywhere, then run: npm run tasks -- --service ${service} --tasks ${String(tasks)}` },
  );
}
