/** The one maker of records for dead.letters: the record as it was read, who could not handle it, and why. */
import type { DeadLetter } from './records.ts';

type Named = Pick<DeadLetter, 'topic' | 'partition' | 'offset' | 'service' | 'code' | 'message' | 'at'>;

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
    kept: fields.kept ?? '',
    step: fields.step ?? 'decode',
    key_bytes: fields.key_bytes ?? 0,
    value_bytes: fields.value_bytes ?? 0,
    value_sha256: fields.value_sha256 ?? '',
  };
}
