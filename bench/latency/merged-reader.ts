/**
 * Reads `events.merged` (read_committed) and writes down when it was given which message id. A process of its own, so
 * that neither its reading nor its collecting garbage holds up those that are measured.
 * `node bench/latency/merged-reader.ts <brokers> <registry> <prefix> <file>`; prints a line when it has
 * begun, and writes the file, {message id: milliseconds of nowMs}, when its standard input ends.
 */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { openLog } from '../../services/runtime/log/open-log.ts';
import { findSchemas } from '../../services/runtime/registry.ts';
import { nowMs } from './monotonic.ts';

const READER = { bufferBytesMax: 16 << 20, fetchBytesMax: 1 << 20, waitMsMax: 500 };
const TAKE_BYTES = 1 << 20;
const WAIT_MS = 100;

const [, , brokers = '', registryUrl = '', prefix = '', file = ''] = argv;
const codecs = await findSchemas({ url: registryUrl });
const log = await openLog({ brokers: brokers.split(','), clientId: 'bench-reader', prefix });
const reader = log.reader(READER);
const ends = await log.admin.endOffsets('eventsMerged');
await reader.start(ends.map((_, partition) => ({ topic: 'eventsMerged', partition, offset: 0 })));
const readAt = new Map<string, number>();
const ended = new AbortController();
void once(process.stdin.resume(), 'end').then(() => {
  ended.abort();
});
console.log('reading');
while (!ended.signal.aborted) {
  await reader.wait(WAIT_MS);
  const slices = reader.take(TAKE_BYTES);
  const at = nowMs();
  for (const slice of slices) {
    slice.forEach(({ bytes, valueStart, valueEnd }) => {
      const { event } = codecs.MergedEvent.decode(bytes, valueStart, valueEnd);
      // Given twice, the first counts: that is when a reader could have had it.
      if (event !== null && !readAt.has(event.message_id)) readAt.set(event.message_id, at);
    });
    slice.release();
  }
}
await writeFile(file, JSON.stringify(Object.fromEntries(readAt)));
await reader.close();
await log.close();
