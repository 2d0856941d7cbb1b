/** A Track call's message id and times. */
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { messageIdIn } from './message-id.ts';
import { timeOrNote } from './noted-time.ts';
import { readUnixSeconds } from '../runtime/times.ts';

export function stamps(call: NotedCall, sent: SentObject) {
  return { messageId: messageIdIn(call, sent, 'id'), ...timeOf(call, sent) };
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
