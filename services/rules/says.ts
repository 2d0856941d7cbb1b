/**
 * What a condition found, in a sentence, and the events that it rests on by name and time: what `explain` shows to people.
 * Pure.
 */
import { unreachable } from '../runtime/errors.ts';
import { ExactNumber } from '../runtime/exact-json.ts';
import {
  matchersOf,
  type Check,
  type DeviceCondition,
  type EventCondition,
  type EventMatcher,
  type LeafCondition,
  type RelationshipCondition,
  type SequenceCondition,
  type StallCondition,
} from './condition.ts';
import { durationText } from './durations.ts';
import type { Marks } from './windows.ts';

/** An event that decides a condition. */
export interface RestsOn {
  readonly message_id: string;
  /** null: the condition names none. */
  readonly name: string | null;
  /** When it happened, which windows go by; ISO 8601. */
  readonly timestamp: string;
}
interface FoundOf {
  readonly value: unknown;
  readonly events: readonly string[];
}
/** And whether the condition holds. */
interface Answered extends FoundOf {
  readonly result: boolean;
}

export function restsOn(leaf: LeafCondition, { value, events }: FoundOf, marks: Marks): readonly RestsOn[] {
  return events.flatMap((messageId, index) => {
    const mark = marks.find(([, id]) => id === messageId);
    if (mark === undefined) return [];
    const name = matcherOf(leaf, { value, index, count: events.length })?.name ?? null;
    return [{ message_id: messageId, name, timestamp: new Date(mark[0]).toISOString() }];
  });
}

/** @param place of the event among those that it rests on, which are latest first. */
function matcherOf(
  leaf: LeafCondition,
  place: { readonly value: unknown; readonly index: number; readonly count: number },
): EventMatcher | undefined {
  if (leaf.type === 'event') return leaf;
  if (leaf.type === 'device') return matchersOf(leaf)[0];
  if (leaf.type === 'stall') return place.value === 'answered' && place.index === 0 ? leaf.without : leaf.of;
  if (leaf.type !== 'sequence') return undefined;
  const step = place.count - 1 - place.index;
  return leaf.steps[step] ?? leaf.without?.matcher;
}

/** @param events that it rests on, latest first. */
export function saysOf(leaf: LeafCondition, found: Answered, events: readonly RestsOn[]): string {
  const { value, result } = found;
  switch (leaf.type) {
    case 'event':
      return countedText(leaf, Number(value));
    case 'stall':
      return stallText(leaf, String(value), events);
    case 'sequence':
      return sequenceText(leaf, { gone: Number(value), result }, events);
    case 'attribute':
      return `${leaf.path} is ${valueText(leaf.check, value, 'not set')}; asked is that it ${askedOf(leaf.check)}`;
    case 'device':
      return devicesText(leaf, Number(value));
    case 'relationship':
      return relatedText(leaf, Number(value));
    case 'segment':
      return `the person is ${value === true ? '' : 'not '}in the segment ${leaf.segmentId}`;
    case 'age': {
      const since = value === null ? 'has not been seen yet' : `has been known of since ${shown(value, '')}`;
      return `the person ${since}; asked is ${durationText(leaf.atLeastMs)} or longer`;
    }
    default:
      return unreachable(leaf);
  }
}

/** What a property is, and what was asked of it. */
export function testText(path: string, check: Check, value: unknown): string {
  return `${path} is ${valueText(check, value, 'not there')} (asked is ${askedOf(check)})`;
}

/** A text where a number is asked for looks like one, and is none. */
function valueText(check: Check, value: unknown, none: string): string {
  if (value === null || value === undefined) return none;
  const operand = 'value' in check ? check.value : undefined;
  const isNumber = typeof operand === 'number' || operand instanceof ExactNumber;
  return isNumber && typeof value === 'string' ? `${shown(value)}, a text` : shown(value);
}

function countedText(leaf: EventCondition, value: number): string {
  const { count } = leaf;
  const isDistinct = count.type === 'distinct' || count.type === 'distinct_at_most';
  const within = leaf.withinMs === null ? '' : ` in the last ${durationText(leaf.withinMs)}`;
  const did = isDistinct
    ? `did ${eventText(leaf)} with ${String(value)} different values of ${count.path}`
    : `did ${eventText(leaf)} ${timesText(value)}`;
  const isAtMost = count.type === 'at_most' || count.type === 'distinct_at_most';
  const more = !isAtMost && value >= count.n ? ', and more is not counted' : '';
  return `${did}${within}; asked is at ${isAtMost ? 'most' : 'least'} ${String(count.n)}${more}`;
}

function stallText(leaf: StallCondition, value: string, events: readonly RestsOn[]): string {
  const [a, b, time] = [eventText(leaf.of), eventText(leaf.without), durationText(leaf.forMs)];
  const [latest, before] = events;
  const at = latest === undefined ? '' : ` at ${latest.timestamp}`;
  switch (value) {
    case 'none':
      return `did no ${a}`;
    case 'running':
      return `did ${a}${at}; the ${time} in which ${b} may still come are not over`;
    case 'answered':
      return `did ${a} at ${before?.timestamp ?? 'a time before'}, and ${b}${at} answered it within ${time}`;
    case 'stalled':
      return `did ${a}${at}, and no ${b} in the ${time} after it`;
    default: {
      const within = leaf.withinMs === null ? '' : `, longer than ${durationText(leaf.withinMs)} ago`;
      return `did ${a}${at}, and no ${b} in the ${time} after it, but that began too long ago${within}`;
    }
  }
}

function sequenceText(
  leaf: SequenceCondition,
  { gone: value, result }: { readonly gone: number; readonly result: boolean },
  events: readonly RestsOn[],
): string {
  const { steps, without, withinMs } = leaf;
  const within = withinMs === null ? '' : ` in the last ${durationText(withinMs)}`;
  const gone = `did ${String(value)} of ${String(steps.length)} steps in their order${within}`;
  const next = steps[value];
  if (next !== undefined) return `${gone}; next is ${eventText(next)}`;
  if (without === null) return gone;
  const isAnswered = events.length > steps.length;
  const time = durationText(without.forMs);
  if (!isAnswered && !result) {
    return `${gone}; the ${time} in which ${eventText(without.matcher)} may still come are not over`;
  }
  return `${gone}, and ${isAnswered ? '' : 'no '}${eventText(without.matcher)} in the ${time} after them`;
}

function relatedText(leaf: RelationshipCondition, value: number): string {
  const { type, n } = leaf.count;
  const objects = `${String(value)} ${value === 1 ? 'object' : 'objects'} of type ${leaf.objectType}`;
  return `belongs to ${objects} that pass; asked is at ${type === 'at_most' ? 'most' : 'least'} ${String(n)}`;
}

function devicesText({ count, withinMs }: DeviceCondition, value: number): string {
  const within = withinMs === null ? '' : `, told of in the last ${durationText(withinMs)}`;
  const devices = `${String(value)} ${value === 1 ? 'device' : 'devices'} that pass${within}`;
  return `has ${devices}; asked is at ${count.type === 'at_most' ? 'most' : 'least'} ${String(count.n)}`;
}

/** Which event is meant, in words. */
export function eventText({ name, nameCheck, eventType, where }: EventMatcher): string {
  const kind = eventType === null || eventType === 'event' ? '' : `${eventType} `;
  const any = `any ${eventType ?? 'event, page or screen'}`;
  const isAny = nameCheck === null || nameCheck.type === 'exists';
  const named = name ?? (isAny ? any : `an event whose name ${askedOf(nameCheck)}`);
  return `${name === null ? '' : kind}${named}${where.length === 0 ? '' : ' so that its tests hold'}`;
}

function askedOf(check: Check): string {
  if ('pattern' in check) return `matches ${JSON.stringify(check.pattern.source)}`;
  if ('durationMs' in check) return `${check.type} ${durationText(check.durationMs)}`;
  if ('values' in check) return `${check.type} ${shown(check.values)}`;
  return 'value' in check ? `${check.type} ${shown(check.value)}` : check.type;
}

function timesText(count: number): string {
  return count === 1 ? 'once' : `${String(count)} times`;
}

const charsToldMax = 100;
function shown(value: unknown, quote = '"'): string {
  const text = typeof value === 'string' ? `${quote}${value}${quote}` : JSON.stringify(value);
  return text.length <= charsToldMax ? text : `${text.slice(0, charsToldMax)}…`;
}
