/** A message as a number: Customer.io's plugin reports what it showed by one, and drops a report by anything else (spec B). */
import { createHash } from 'node:crypto';

/** 1 to 2^31: the same for a message id for ever. */
export function contentIdOf(messageId: string): number {
  return (createHash('sha256').update(`content\0${messageId}`).digest().readUInt32BE(0) >>> 1) + 1;
}
