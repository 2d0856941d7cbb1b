/** Records that nobody can read: kept in dead.letters as they came, and named in events.dropped. */
import type { Codecs } from '../../schemas/codec.ts';
import type { OutputBuffer } from '../runtime/log/ports.ts';
import {
  deadLetterOf,
  droppedOf,
  letterKeyBytesMax,
  type Letter,
} from '../runtime/task/batch/dead-letter.ts';
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
    const letter: Letter = {
      topic,
      partition,
      offset,
      kept: '',
      key,
      value,
      service: SERVICE,
      step: 'decode',
      code: 'undecodable',
      message,
      at: now,
    };
    const ownKey = key?.subarray(0, letterKeyBytesMax) ?? null;
    outputs.append('deadLetters', partition, ownKey, codecs.DeadLetter.encode(deadLetterOf(letter)));
    outputs.append('eventsDropped', partition, ownKey, codecs.DroppedEvent.encode(droppedOf(letter, codecs)));
  }
}
