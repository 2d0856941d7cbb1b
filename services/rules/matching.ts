/** Which events a condition counts, and the mark that a counted event leaves. */
import { createHash } from 'node:crypto';
import { ExactNumber } from '../runtime/exact-json.ts';
import type { EventCondition, EventMatcher, EventType } from './condition.ts';
import { distinctValueCharsMax } from './limits.ts';
import { passes } from './operators.ts';
import type { PatternTests } from './pattern-steps.ts';
import { valueAt, type JsonObject } from './paths.ts';
import type { Mark } from './windows.ts';

/** An event as rules see it. */
export interface RuleEvent {
  /** null: a page or a screen that said none. */
  readonly name: string | null;
  readonly type: EventType;
  readonly messageId: string;
  /** ms: the event's timestamp, but never later than its receive time (spec C.1 row 28). */
  readonly time: number;
  /** ms; orders the steps of a sequence that happened at one time. */
  readonly receivedAt: number;
  /** Asked for only when a test needs it, because parsing is what an event costs. */
  readonly properties: () => JsonObject;
  /** Its user agent is a program's; absent: it is not. Asked for as its properties are. */
  readonly isBot?: () => boolean;
  /** The device that it is about, as its context has it; undefined: none. Asked for by conditions on devices alone. */
  readonly device?: () => JsonObject | undefined;
}

/** Time of an event for windows: its own, clamped to when it was received (spec C.1 row 28). */
export function windowTime(timestamp: number, receivedAt: number): number {
  return Math.min(timestamp, receivedAt);
}

/** Relative tests of a property (`before_ago` …) count from the event's own time: whether it counts never changes. */
export function matches(matcher: EventMatcher, event: RuleEvent, patterns?: PatternTests): boolean {
  if (matcher.name !== null && matcher.name !== event.name) return false;
  if (matcher.eventType !== null && matcher.eventType !== event.type) return false;
  const { nameCheck } = matcher;
  if (nameCheck !== null && !passes(nameCheck, event.name ?? undefined, event.time, patterns)) return false;
  return matcher.where.every(({ path, check }) =>
    passes(check, propertyAt(event, path), event.time, patterns),
  );
}

/**
 * A property, or of a page its `address`: the name without query and fragment, where a campaign's marks are; or of what a
 * program did `bot`, which is true, and which nothing else has. What the client itself sends under these names goes before.
 */
export function propertyAt(event: RuleEvent, path: string): unknown {
  const sent = valueAt(event.properties(), path);
  if (sent !== undefined) return sent;
  if (path === BOT) return event.isBot?.() === true ? true : undefined;
  return path === ADDRESS && event.type === 'page' && event.name !== null ? addressOf(event.name) : undefined;
}

export const ADDRESS = 'address';
export const BOT = 'bot';

export function addressOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

/** The mark of an event that matches; undefined when a distinct count has no value to count. */
export function markOf(condition: EventCondition, event: RuleEvent): Mark | undefined {
  if (!('path' in condition.count)) return [event.time, event.messageId];
  const value = distinctValue(propertyAt(event, condition.count.path));
  return value === undefined ? undefined : [event.time, event.messageId, value];
}

function exactValue({ key }: ExactNumber): string {
  return key.length <= distinctValueCharsMax ? `x${key}` : hashOf(key);
}
function hashOf(value: string): string {
  return `h${createHash('sha256').update(value).digest('base64url')}`;
}

/** Scalars only; the first letter keeps "5" and 5 apart. */
function distinctValue(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value.length <= distinctValueCharsMax ? `s${value}` : hashOf(value);
    case 'number':
      return `n${String(value)}`;
    case 'boolean':
      return `b${String(value)}`;
    default:
      return value instanceof ExactNumber ? exactValue(value) : undefined;
  }
}
