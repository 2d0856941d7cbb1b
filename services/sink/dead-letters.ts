/** Records that nobody can read: kept in dead.letters as they came, and named in events.dropped. */
import type { Codecs } from '../../schemas/codec.ts';
import { deadLetter } from '../../schemas/dead-letter.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import { topics } from '../../schemas/topics.ts';
import type { OutputBuffer } from '../runtime/log/ports.ts';
import type { Undecodable } from './batch.ts';

const SERVICE = 'sink';

/** Appends a letter and a dropped record for each. They are sent with the offsets, so once. */
export function writeUndecodable(
  records: readonly Undecodable[],
  codecs: Codecs,
  now: number,
  outputs: OutputBuffer,
): void {
  for (const { topic, partition, offset, key, value, message } of records) {
    const place = { topic: topics[topic].name, partition, offset };
    const code = 'undecodable';
    const letter = deadLetter({ ...place, key, value, service: SERVICE, code, message, at: now });
    const row = droppedEvent({
      workspace: key?.toString().split(':', 1)[0] ?? '',
      reason: code,
      stage: SERVICE,
      at: now,
      detail: JSON.stringify({ ...place, message }),
    });
    outputs.append('deadLetters', partition, key, codecs.DeadLetter.encode(letter));
    outputs.append('eventsDropped', partition, key, codecs.DroppedEvent.encode(row));
  }
}
