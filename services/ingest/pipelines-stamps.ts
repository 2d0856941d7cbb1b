/** A Pipelines call's message id, time and context. */
import type { NotedCall } from './corrections.ts';
import { isObject, type SentObject } from './json-text.ts';
import { messageIdIn } from './message-id.ts';
import { timeOrNote } from './noted-time.ts';
import { readTime, withoutSkew, type ReadTime } from '../runtime/times.ts';
import type { CallContext } from './translation.ts';

export interface PipelinesCall extends CallContext {
  /** Context of the batch, for calls that bring none. */
  readonly context: string | null;
  /** The batch's, for calls that bring none. */
  readonly sentAt?: unknown;
  /** The user agent of the batch or of the browser that calls, for calls that bring none. */
  readonly agent?: string | undefined;
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
    messageId: messageIdIn(call, body, 'messageId'),
    timestamp: timestampIn(call, body),
    context: body.object('context')?.text ?? call.context,
  };
}

/** What made the call or the batch, as its context says, or what it lies in: the batch, the browser that sends it. */
export function agentIn(call: Pick<PipelinesCall, 'agent'>, body: SentObject): string | undefined {
  const { context } = body.value;
  const own = isObject(context) ? context.userAgent : undefined;
  return typeof own === 'string' && own !== '' ? own : call.agent;
}

function timestampIn(call: Call, body: SentObject): number | undefined {
  if (body.value.timestamp === undefined && body.value.originalTimestamp === undefined) return undefined;
  const [field, read] = firstTime(body);
  const at = timeOrNote(call, { field, sent: body.value[field] }, read);
  if (at === undefined) return undefined;
  const sentAtField = body.value.sentAt ?? call.sentAt;
  const sentAt = timeOrNote(call, { field: 'sentAt', sent: sentAtField }, readTime(sentAtField));
  if (sentAt === undefined) return at;
  const moved = withoutSkew({ timestamp: at, sentAt, receivedAt: call.receivedAt });
  if (moved === undefined || moved === at) return at;
  const told = `${String(body.value[field])}, sent at ${new Date(sentAt).toISOString()}`;
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
