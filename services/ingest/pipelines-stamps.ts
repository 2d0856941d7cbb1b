/** A Pipelines call's message id, time and context. */
import type { NotedCall } from './corrections.ts';
import type { SentObject } from './json-text.ts';
import { timeOrNote } from './noted-time.ts';
import { readTime, withoutSkew, type ReadTime } from './times.ts';
import type { CallContext } from './translation.ts';
import { sentMessageId } from './validate.ts';

export interface PipelinesCall extends CallContext {
  /** Context of the batch, for calls that bring none. */
  readonly context: string | null;
  /** The batch's, for calls that bring none. */
  readonly sentAt?: unknown;
  /** Numbers that JSON does not have, read as null. */
  readonly nulls?: number;
}

type Call = PipelinesCall & NotedCall;

export interface Stamps {
  readonly messageId: string;
  /** ms; undefined: the receive time. */
  readonly timestamp: number | undefined;
  readonly context: string | null;
}

export function stamps(call: Call, body: SentObject): Stamps {
  return {
    messageId: sentMessageId(body.value.messageId) ?? call.mintMessageId(),
    timestamp: timestampIn(call, body),
    context: body.object('context')?.text ?? call.context,
  };
}

function timestampIn(call: Call, body: SentObject): number | undefined {
  const [field, read] = firstTime(body);
  const at = timeOrNote(call, { field, sent: body.value[field] }, read);
  if (at === undefined) return undefined;
  const sent = readTime(body.value.sentAt ?? call.sentAt);
  if (sent.type !== 'time') return at;
  const moved = withoutSkew({ timestamp: at, sentAt: sent.ms, receivedAt: call.receivedAt });
  if (moved === undefined || moved === at) return at;
  const told = `${String(body.value[field])}, sent at ${new Date(sent.ms).toISOString()}`;
  call.corrections.push({ field, sent: told, kept: new Date(moved).toISOString(), why: 'device_clock' });
  return moved;
}

/** `timestamp`, or where that says no time `originalTimestamp`. */
function firstTime(body: SentObject): readonly ['timestamp' | 'originalTimestamp', ReadTime] {
  const read = readTime(body.value.timestamp);
  if (read.type === 'time') return ['timestamp', read];
  const original = readTime(body.value.originalTimestamp);
  return original.type === 'time' ? ['originalTimestamp', original] : ['timestamp', read];
}
