/** Records that nobody can read: kept in dead.letters as they came, and named in events.dropped. */
import type { Codecs } from '../../schemas/codec.ts';
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
    const letter = codecs.DeadLetter.encode({
      ...place,
      key,
      value,
      service: SERVICE,
      code: 'undecodable',
      message,
      at: now,
    });
    const dropped = codecs.DroppedEvent.encode({
      workspace: key?.toString().split(':', 1)[0] ?? '',
      reason: 'undecodable',
      stage: SERVICE,
      at: now,
      message_id: null,
      anonymous_id: null,
      person_id: null,
      detail: JSON.stringify({ ...place, message }),
    });
    outputs.append('deadLetters', partition, key, letter);
    outputs.append('eventsDropped', partition, key, dropped);
  }
}
