/** The one maker of records for dead.letters: the record as it was read, who could not handle it, and why. */
import type { DeadLetter } from './records.ts';

type Named = Omit<DeadLetter, 'key' | 'value'>;

/** Field by field, as in identity-request.ts. A record may have no key, and no value. */
export function deadLetter(fields: Named & Partial<DeadLetter>): DeadLetter {
  return {
    topic: fields.topic,
    partition: fields.partition,
    offset: fields.offset,
    key: fields.key ?? null,
    value: fields.value ?? null,
    service: fields.service,
    code: fields.code,
    message: fields.message,
    at: fields.at,
  };
}
