/** Definitions from outside: `parseSegment` and `parseJourney` accept what the contract, *Definitions*, says, or name every fault. */
import type { Frequency, Journey, Segment, Trigger } from './condition.ts';
import type { DefinitionPatterns } from './definition-patterns.ts';
import { Faults, nearestTo, parsed, pointerTo, unknownKeyText, type Parsed } from './faults.ts';
import { entriesPerPeriodMax, textCharsMax } from './limits.ts';
import { whereItGoes } from './misplaced.ts';
import { ConditionParser } from './parse-condition.ts';
import { parseStall } from './parse-leaves.ts';
import { MATCHER_KEYS, parseMatcher } from './parse-matcher.ts';
import { parseDurationAt } from './parse-predicate.ts';
import { isJsonObject, type JsonObject } from './paths.ts';

const SEGMENT_TYPES = ['data_driven', 'manual'] as const;
const STALL_KEYS = ['without', 'for', 'rearm'] as const;
const STATES = ['draft', 'running', 'stopped'] as const;
/** As the trace and the topic say it, and as definitions have always said it. */
const CHANGES = ['entered', 'left', 'enter', 'leave'] as const;
const MODES = ['once', 'every_rematch', 'interval', 'at_most'] as const;
/** Keys of a frequency, and the mode that each belongs to. */
const MODE_KEYS = [
  ['gap', 'every_rematch'],
  ['every', 'interval'],
  ['times', 'at_most'],
  ['per', 'at_most'],
] as const;

/** @param patterns how patterns are taken: as those of a new definition, unless said otherwise. */
export function parseSegment(body: unknown, patterns?: DefinitionPatterns): Parsed<Segment> {
  const faults = new Faults(patterns);
  return parsed(readSegment(body, faults), faults);
}

export function parseJourney(body: unknown, patterns?: DefinitionPatterns): Parsed<Journey> {
  const faults = new Faults(patterns);
  return parsed(readJourney(body, faults), faults);
}

function readSegment(body: unknown, faults: Faults): Segment | undefined {
  const from = faults.object(body, '', ['name', 'description', 'type', 'when'], 'segment');
  if (from === undefined) return undefined;
  const name = faults.text(from, 'name', '', textCharsMax);
  const description = faults.description(from);
  const type = faults.oneOf(from, 'type', '', SEGMENT_TYPES);
  if (type === 'manual') {
    if (from['when'] !== undefined) faults.add('/when', 'unknown_key', 'a manual segment has no rule');
    return name === undefined ? undefined : { type, name, description };
  }
  const when = new ConditionParser(faults).parse(from['when'], '/when');
  if (name === undefined || type === undefined || when === undefined) return undefined;
  return { type, name, description, when };
}

const JOURNEY_KEYS = [
  ...['name', 'description', 'state', 'trigger', 'filters', 'frequency', 'key', 'holdout', 'include_current'],
];

function readJourney(body: unknown, faults: Faults): Journey | undefined {
  const from = faults.object(body, '', JOURNEY_KEYS, 'journey');
  if (from === undefined) return undefined;
  const name = faults.text(from, 'name', '', textCharsMax);
  faults.description(from);
  const state = faults.oneOf(from, 'state', '', STATES);
  const trigger = readTrigger(from['trigger'], '/trigger', faults);
  const filters =
    from['filters'] === undefined ? null : new ConditionParser(faults).parse(from['filters'], '/filters');
  const frequency = readFrequency(from['frequency'], '/frequency', faults);
  const key = readKey(from, trigger, faults);
  const holdout = faults.holdout(from);
  const includeCurrent = readIncludeCurrent(from, faults);
  if (name === undefined || state === undefined || trigger === undefined) return undefined;
  if (filters === undefined || frequency === undefined || key === undefined) return undefined;
  return { name, state, trigger, filters, frequency, key, holdout, includeCurrent };
}

const TRIGGER_FORMS = ['event', 'segment', 'identified'] as const;

function readTrigger(value: unknown, pointer: string, faults: Faults): Trigger | undefined {
  if (value === undefined) {
    faults.add(pointer, 'required', 'is required');
    return;
  }
  if (!isJsonObject(value)) {
    faults.add(pointer, 'wrong_type', 'must be an object');
    return;
  }
  const forms = TRIGGER_FORMS.filter((form) => Object.hasOwn(value, form));
  const form = forms[0] ?? (Object.hasOwn(value, 'type') ? 'event' : undefined);
  const misspelt = Object.keys(value).find((key) => nearestTo(key, TRIGGER_FORMS) !== undefined);
  if (form === undefined && misspelt !== undefined) {
    faults.add(pointerTo(pointer, misspelt), 'unknown_key', unknownKeyText(misspelt, TRIGGER_FORMS));
    return;
  }
  if (form === undefined || forms.length > 1) {
    const goes = Object.keys(value).flatMap((key) => whereItGoes(key, 'trigger') ?? []);
    const hint = forms.length === 0 && goes[0] !== undefined ? `: ${goes[0]}` : '';
    faults.add(pointer, 'ambiguous', `must have exactly one of the keys event, segment, identified${hint}`);
    return;
  }
  if (form === 'event') return readEventTrigger(value, pointer, faults);
  if (form === 'segment') {
    faults.object(value, pointer, ['segment', 'on'], 'trigger');
    const segmentId = faults.text(value, 'segment', pointer, textCharsMax);
    const on = faults.oneOf(value, 'on', pointer, CHANGES);
    if (segmentId === undefined || on === undefined) return undefined;
    return { type: 'segment', segmentId, on: on === 'entered' || on === 'enter' ? 'entered' : 'left' };
  }
  faults.object(value, pointer, ['identified'], 'trigger');
  if (value['identified'] === true) return { type: 'identified' };
  faults.add(pointerTo(pointer, 'identified'), 'unknown_value', 'must be true');
}

function readEventTrigger(value: JsonObject, pointer: string, faults: Faults): Trigger | undefined {
  faults.object(value, pointer, [...MATCHER_KEYS, ...STALL_KEYS], 'trigger');
  if (STALL_KEYS.some((key) => Object.hasOwn(value, key))) {
    const stall = parseStall(value, pointer, faults);
    return stall === undefined ? undefined : { type: 'stall', ...stall };
  }
  const matcher = parseMatcher(value, pointer, faults);
  return matcher === undefined ? undefined : { type: 'event', ...matcher };
}

/** null: none. */
function readKey(from: JsonObject, trigger: Trigger | undefined, faults: Faults): string | null | undefined {
  if (from['key'] === undefined) return null;
  const key = faults.text(from, 'key', '', textCharsMax);
  if (trigger === undefined || trigger.type === 'event' || trigger.type === 'stall') return key;
  faults.add('/key', 'unknown_key', 'goes with a trigger by event: it is a property of that event');
  return;
}

function readFrequency(value: unknown, pointer: string, faults: Faults): Frequency | undefined {
  if (value === undefined) return { mode: 'once' };
  const from = faults.object(value, pointer, ['mode', ...MODE_KEYS.map(([key]) => key)]);
  if (from === undefined) return undefined;
  const mode = faults.oneOf(from, 'mode', pointer, MODES);
  for (const [key, owner] of MODE_KEYS) {
    if (from[key] !== undefined && mode !== undefined && mode !== owner) {
      faults.add(pointerTo(pointer, key), 'unknown_key', `belongs to the mode ${owner}`);
    }
  }
  const durationOf = (key: string) => parseDurationAt(from[key], pointerTo(pointer, key), faults);
  switch (mode) {
    case undefined:
      return undefined;
    case 'once':
      return { mode };
    case 'every_rematch': {
      const gapMs = from['gap'] === undefined ? 0 : durationOf('gap');
      return gapMs === undefined ? undefined : { mode, gapMs };
    }
    case 'interval': {
      const everyMs = durationOf('every');
      return everyMs === undefined ? undefined : { mode, everyMs };
    }
    default: {
      const times = faults.integer(from, 'times', pointer, { min: 1, max: entriesPerPeriodMax });
      const perMs = durationOf('per');
      return times === undefined || perMs === undefined ? undefined : { mode, times, perMs };
    }
  }
}

function readIncludeCurrent(
  { include_current: value = false }: JsonObject,
  faults: Faults,
): Journey['includeCurrent'] {
  if (typeof value === 'boolean') return value;
  if (value !== 'as_of_trigger') {
    faults.add('/include_current', 'wrong_type', 'must be true, false or as_of_trigger');
  }
  return 'as_of_trigger';
}
