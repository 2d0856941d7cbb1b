/** The conditions that have no conditions inside: events counted, stalls, sequences, relationships. */
import type {
  Count,
  CountedCondition,
  DeviceCondition,
  EventCondition,
  EventMatcher,
  RelationshipCondition,
  SequenceCondition,
  Stall,
  StallCondition,
} from './condition.ts';
import { pointerTo, type Faults } from './faults.ts';
import { countMax, devicesMax, distinctMax, sequenceStepsMax, textCharsMax } from './limits.ts';
import { MATCHER_KEYS, parseMatcher, parseMatcherAt, parseWhere } from './parse-matcher.ts';
import { parseDurationAt } from './parse-predicate.ts';
import type { JsonObject } from './paths.ts';

const REARMS = ['restart', 'ignore'] as const;

/** A condition with `event`, or of pages or screens without: counted, or a stall. */
export function parseEvent(value: JsonObject, pointer: string, faults: Faults): CountedCondition | undefined {
  return ['without', 'for', 'rearm'].some((key) => Object.hasOwn(value, key))
    ? parseStallCondition(value, pointer, faults)
    : parseCounted(value, pointer, faults);
}

function parseCounted(value: JsonObject, pointer: string, faults: Faults): EventCondition | undefined {
  faults.object(value, pointer, [...MATCHER_KEYS, 'count', 'within', 'without', 'for', 'rearm'], 'event');
  const matcher = parseMatcher(value, pointer, faults);
  const count = parseCount(value['count'], pointerTo(pointer, 'count'), faults);
  const withinMs = parseWithin(value, pointer, faults);
  if (matcher === undefined || count === undefined || withinMs === undefined) return undefined;
  return { type: 'event', pointer, ...matcher, count, withinMs };
}

function parseStallCondition(value: JsonObject, pointer: string, faults: Faults): StallCondition | undefined {
  if (Object.hasOwn(value, 'count')) {
    faults.add(pointerTo(pointer, 'count'), 'ambiguous', 'a count does not go with without … for');
  }
  faults.object(value, pointer, [...MATCHER_KEYS, 'without', 'for', 'rearm', 'within', 'count'], 'event');
  const stall = parseStall(value, pointer, faults);
  const withinMs = parseWithin(value, pointer, faults);
  if (stall === undefined || withinMs === undefined) return undefined;
  if (withinMs !== null && withinMs <= stall.forMs) {
    faults.add(pointerTo(pointer, 'within'), 'out_of_range', 'must be longer than for: it could never hold');
    return;
  }
  return { type: 'stall', pointer, ...stall, withinMs };
}

/** `event …, without, for, rearm` of an object whose keys the caller has checked. */
export function parseStall(value: JsonObject, pointer: string, faults: Faults): Stall | undefined {
  const of = parseMatcher(value, pointer, faults);
  const tail = parseWithout(value, pointer, faults);
  const rearm = value['rearm'] === undefined ? REARMS[0] : faults.oneOf(value, 'rearm', pointer, REARMS);
  if (of === undefined || tail === undefined || rearm === undefined) return undefined;
  return { of, without: tail.matcher, forMs: tail.forMs, rearm };
}

interface Without {
  readonly matcher: EventMatcher;
  readonly forMs: number;
}

function parseWithout(value: JsonObject, pointer: string, faults: Faults): Without | undefined {
  const matcher = parseMatcherAt(value['without'], pointerTo(pointer, 'without'), faults);
  const forMs = parseDurationAt(value['for'], pointerTo(pointer, 'for'), faults);
  return matcher === undefined || forMs === undefined ? undefined : { matcher, forMs };
}

export function parseSequence(
  value: JsonObject,
  pointer: string,
  faults: Faults,
): SequenceCondition | undefined {
  faults.object(value, pointer, ['sequence', 'within', 'without', 'for'], 'sequence');
  const steps = parseSteps(value['sequence'], pointerTo(pointer, 'sequence'), faults);
  const withinMs = parseWithin(value, pointer, faults);
  const asks = Object.hasOwn(value, 'without') || Object.hasOwn(value, 'for');
  const without = asks ? parseWithout(value, pointer, faults) : null;
  if (steps === undefined || withinMs === undefined || without === undefined) return undefined;
  if (withinMs !== null && without !== null && withinMs <= without.forMs) {
    faults.add(pointerTo(pointer, 'within'), 'out_of_range', 'must be longer than for: it could never hold');
    return;
  }
  return { type: 'sequence', pointer, steps, withinMs, without };
}

function parseSteps(value: unknown, pointer: string, faults: Faults): readonly EventMatcher[] | undefined {
  if (!Array.isArray(value)) {
    faults.add(pointer, 'wrong_type', 'must be a list of events');
    return;
  }
  if (value.length < 2) {
    faults.add(pointer, 'required', 'has at least two steps');
    return;
  }
  if (value.length > sequenceStepsMax) {
    faults.add(pointer, 'too_many', `has at most ${String(sequenceStepsMax)} steps`);
    return;
  }
  const steps = value.map((item, index) => parseMatcherAt(item, pointerTo(pointer, index), faults));
  return steps.every((step) => step !== undefined) ? steps : undefined;
}

export function parseRelationship(
  value: JsonObject,
  pointer: string,
  faults: Faults,
): RelationshipCondition | undefined {
  faults.object(value, pointer, ['relationship', 'id', 'where', 'object', 'count'], 'condition');
  const objectType = faults.text(value, 'relationship', pointer, textCharsMax);
  const objectId = value['id'] === undefined ? null : faults.text(value, 'id', pointer, textCharsMax);
  const where = parseWhere(value['where'], pointerTo(pointer, 'where'), faults);
  const objectWhere = parseWhere(value['object'], pointerTo(pointer, 'object'), faults);
  const at = pointerTo(pointer, 'count');
  const count = parseCount(value['count'], at, faults);
  if (objectType === undefined || objectId === undefined) return undefined;
  if (where === undefined || objectWhere === undefined || count === undefined) return undefined;
  if ('path' in count) {
    faults.add(pointerTo(at, 'distinct'), 'unknown_key', 'every object counts once');
    return;
  }
  return {
    type: 'relationship',
    pointer,
    objectType,
    objectId,
    where,
    objectWhere,
    count: { type: count.type, n: count.n },
  };
}

export function parseDevice(value: JsonObject, pointer: string, faults: Faults): DeviceCondition | undefined {
  faults.object(value, pointer, ['device', 'where', 'count', 'within'], 'condition');
  const where = parseWhere(value['where'], pointerTo(pointer, 'where'), faults);
  const at = pointerTo(pointer, 'count');
  const count = parseCount(value['count'], at, faults);
  const withinMs = parseWithin(value, pointer, faults);
  if (value['device'] !== true) {
    faults.add(pointerTo(pointer, 'device'), 'unknown_value', 'must be true');
    return;
  }
  if (where === undefined || count === undefined || withinMs === undefined) return undefined;
  if ('path' in count) {
    faults.add(pointerTo(at, 'distinct'), 'unknown_key', 'every device counts once');
    return;
  }
  if (count.n > devicesMax - 1) {
    const n = pointerTo(at, count.type);
    faults.add(
      n,
      'out_of_range',
      `must be below ${String(devicesMax)}: as many devices of a person are known`,
    );
    return;
  }
  return { type: 'device', pointer, where, count: { type: count.type, n: count.n }, withinMs };
}

function parseWithin(value: JsonObject, pointer: string, faults: Faults): number | null | undefined {
  if (value['within'] === undefined) return null;
  return parseDurationAt(value['within'], pointerTo(pointer, 'within'), faults);
}

function parseCount(value: unknown, pointer: string, faults: Faults): Count | undefined {
  if (value === undefined) return { type: 'at_least', n: 1 };
  const count = faults.object(value, pointer, ['at_least', 'at_most', 'distinct'], 'count');
  if (count === undefined) return undefined;
  const atMost = Object.hasOwn(count, 'at_most');
  if (atMost && Object.hasOwn(count, 'at_least')) {
    faults.add(pointer, 'ambiguous', 'has at_least and at_most; a count has one of them');
    return;
  }
  const distinct = Object.hasOwn(count, 'distinct');
  const path = distinct ? faults.text(count, 'distinct', pointer, textCharsMax) : null;
  const bounds = { min: atMost ? 0 : 1, max: distinct ? distinctMax : countMax };
  const n = faults.integer(count, atMost ? 'at_most' : 'at_least', pointer, bounds);
  if (path === undefined || n === undefined) return undefined;
  if (path !== null) return { type: atMost ? 'distinct_at_most' : 'distinct', path, n };
  return { type: atMost ? 'at_most' : 'at_least', n };
}
