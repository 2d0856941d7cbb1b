/** A Track call's message id and times. */
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { timeOrNote } from './noted-time.ts';
import { readUnixSeconds } from './times.ts';
import { sentMessageId } from './validate.ts';

export function stamps(call: NotedCall, sent: SentObject) {
  return { messageId: sentMessageId(sent.value.id) ?? call.mintMessageId(), ...timeOf(call, sent) };
}

export function timeOf(call: NotedCall, sent: SentObject): { readonly timestamp: number | undefined } {
  const { timestamp } = sent.value;
  return {
    timestamp: timeOrNote(call, { field: 'timestamp', sent: timestamp }, readUnixSeconds(timestamp)),
  };
}

/** What orders attribute updates; ms. The future counts as now, or the first value would stand until then. */
export function attributesTime(call: NotedCall, sent: unknown): number | null {
  const field = '_timestamp';
  const at = timeOrNote(call, { field, sent }, readUnixSeconds(sent));
  if (at === undefined || at <= call.receivedAt) return at ?? null;
  call.corrections.push({ field, sent, kept: new Date(call.receivedAt).toISOString(), why: 'future_time' });
  return call.receivedAt;
}
