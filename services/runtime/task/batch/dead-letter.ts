/** What is written of a record that could not be handled: a letter with its bytes, and a row that says why. Pure. */
import { createHash } from 'node:crypto';
import type { Codecs, RecordName } from '../../../../schemas/codec.ts';
import { deadLetter } from '../../../../schemas/dead-letter.ts';
import { droppedEvent } from '../../../../schemas/dropped-event.ts';
import type { Reason } from '../../../../schemas/reasons.ts';
import type { DeadLetter, DroppedEvent } from '../../../../schemas/records.ts';
import { topics, type TopicId } from '../../../../schemas/topics.ts';

/** A letter must be a record of the log itself, with room for what is said about it. */
export const letterValueBytesMax = 900_000;
export const letterKeyBytesMax = 4_096;
const messageCharsMax = 500;

/** Where in the service it failed. */
export type Step = 'decode' | 'admit' | 'handle';

/** Why it failed, as the journal keeps it: a replay writes the same bytes. */
export interface Failure {
  readonly step: Step;
  readonly code: string;
  readonly message: string;
}

export interface Letter extends Failure {
  readonly topic: TopicId;
  readonly partition: number;
  readonly offset: number;
  /** Name of what the service had kept of an earlier record; empty for the record at the offset itself. */
  readonly kept: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly service: string;
  /** ms */
  readonly at: number;
}

export function shortened(message: string): string {
  return message.length > messageCharsMax ? `${message.slice(0, messageCharsMax)}…` : message;
}

export function deadLetterOf({ topic, key, value, message, ...letter }: Letter): DeadLetter {
  return deadLetter({
    ...letter,
    topic: topics[topic].name,
    message: shortened(message),
    key: key?.subarray(0, letterKeyBytesMax) ?? null,
    value: value?.subarray(0, letterValueBytesMax) ?? null,
    key_bytes: key?.length ?? 0,
    value_bytes: value?.length ?? 0,
    value_sha256: value === null ? '' : createHash('sha256').update(value).digest('hex'),
  });
}

/** Names whom it was about as far as the record can be read. */
export function droppedOf(letter: Letter, codecs: Codecs): DroppedEvent {
  const { topic, partition, offset, kept, step, code, service, at, key } = letter;
  const keyText = key?.subarray(0, letterKeyBytesMax).toString() ?? '';
  const reason: Reason = step === 'decode' ? 'undecodable' : 'not_handled';
  const detail = { topic: topics[topic].name, partition, offset, ...(kept !== '' && { kept }), step, code };
  return droppedEvent({
    workspace: keyText.split(':', 1)[0] ?? '',
    reason,
    stage: service,
    at,
    ...(step === 'decode' ? nobody : namesIn(letter, codecs)),
    detail: JSON.stringify({ ...detail, message: shortened(letter.message) }),
  });
}

type Names = Pick<DroppedEvent, 'message_id' | 'anonymous_id' | 'person_id'>;
const nobody: Names = { message_id: null, anonymous_id: null, person_id: null };

function namesIn({ topic, value }: Letter, codecs: Codecs): Names {
  if (value === null) return nobody;
  let record: object;
  try {
    record = codecs[topics[topic].record as RecordName].decode(value); // every topic's record has a codec
  } catch {
    return nobody; // what a service has kept may be of another form; the letter has its bytes
  }
  const event: unknown = 'event' in record ? record.event : null;
  const inner = typeof event === 'object' && event !== null ? event : {};
  const fields: Readonly<Record<string, unknown>> = { ...inner, ...record };
  return {
    message_id: textIn(fields['message_id']),
    anonymous_id: textIn(fields['anonymous_id']),
    person_id: textIn(fields['person_id']),
  };
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
