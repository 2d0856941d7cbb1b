/** Reading a known stretch of the log, to its end and no further: for the journal, definitions and replays. */
import type { TopicId } from '../../../../schemas/topics.ts';
import { CodedError } from '../../errors.ts';
import type { Log, LogReader, RecordSlice } from '../../log/ports.ts';
import type { TimePort } from '../../time.ts';

export interface Stretch {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface ScanPorts {
  readonly log: Log;
  readonly time: TimePort;
}

const BUFFER_BYTES_MAX = 8 << 20;
const FETCH_BYTES_MAX = 1 << 20;
const WAIT_MS = 100;
/** A stretch below the end of its partition brings something at once; a broker in trouble gets this long. */
export const scanStallMs = 30_000;

/** The slices of all stretches as they come; each is released when the next is asked for. */
export async function* scan(
  { log, time }: ScanPorts,
  stretches: readonly Stretch[],
): AsyncGenerator<RecordSlice> {
  const open = new Map<string, Stretch>();
  for (const stretch of stretches) if (stretch.from < stretch.to) open.set(keyOf(stretch), stretch);
  if (open.size === 0) return;
  const reader = log.reader({
    bufferBytesMax: BUFFER_BYTES_MAX,
    fetchBytesMax: FETCH_BYTES_MAX,
    waitMsMax: WAIT_MS,
  });
  try {
    await reader.start(
      [...open.values()].map(({ topic, partition, from }) => ({ topic, partition, offset: from })),
    );
    yield* slicesOf(reader, open, time);
  } finally {
    await reader.close();
  }
}

async function* slicesOf(
  reader: LogReader,
  open: Map<string, Stretch>,
  time: TimePort,
): AsyncGenerator<RecordSlice> {
  let progressAt = time.monotonicMs();
  while (open.size > 0) {
    for (const slice of reader.take(BUFFER_BYTES_MAX)) {
      const to = open.get(keyOf(slice))?.to;
      if (to !== undefined) yield slice; // else beyond what was asked for
      if (to !== undefined && slice.next >= to) open.delete(keyOf(slice));
      progressAt = time.monotonicMs();
      slice.release();
    }
    if (open.size === 0) return;
    if (time.monotonicMs() - progressAt > scanStallMs) throw stalled([...open.values()]);
    await reader.wait(WAIT_MS);
  }
}

function keyOf({ topic, partition }: { readonly topic: TopicId; readonly partition: number }): string {
  return `${topic}/${String(partition)}`;
}

function stalled(open: readonly Stretch[]): CodedError {
  const where = open
    .map(({ topic, partition, to }) => `${topic} ${String(partition)} to ${String(to)}`)
    .join(', ');
  return new CodedError('log_stalled', `could not read ${where}: nothing came for ${String(scanStallMs)} ms`);
}
