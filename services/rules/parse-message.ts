/** A message from outside: accepts what the contract, *On-site messages*, says, or names every fault. */
import type { EventCondition } from './condition.ts';
import type { DefinitionPatterns } from './definition-patterns.ts';
import { Faults, parsed, pointerTo, type Parsed } from './faults.ts';
import { textCharsMax } from './limits.ts';
import {
  conversionMsUsual,
  exposureCapMax,
  messageStates,
  pageRuleCharsMax,
  pageRulesMax,
  priorityMax,
  priorityUsual,
  suppressMax,
  variantsMax,
  variantUsual,
  variantWeightMax,
  wildcardsMax,
  type Caps,
  type Conversion,
  type Message,
  type MessageFrequency,
  type Variant,
} from './message.ts';
import { leavesOf, type Condition } from './condition.ts';
import type { PageRule } from './page-rules.ts';
import { readContent } from './parse-content.ts';
import { ConditionParser } from './parse-condition.ts';
import { parseMatcher } from './parse-matcher.ts';
import { parseDurationAt } from './parse-predicate.ts';
import type { JsonObject } from './paths.ts';

const KEYS = [
  ...['name', 'description', 'state', 'audience', 'pages', 'frequency', 'caps', 'suppress', 'schedule'],
  ...['priority', 'holdout', 'variants', 'content', 'conversion'],
];
const MODES = ['until_interacted', 'once', 'always'] as const;

/** @param patterns how patterns are taken: as those of a new definition, unless said otherwise. */
export function parseMessage(body: unknown, patterns?: DefinitionPatterns): Parsed<Message> {
  const faults = new Faults(patterns);
  return parsed(readMessage(body, faults), faults);
}

function readMessage(body: unknown, faults: Faults): Message | undefined {
  const from = faults.object(body, '', KEYS);
  if (from === undefined) return undefined;
  const name = faults.text(from, 'name', '', textCharsMax);
  const state = faults.oneOf(from, 'state', '', messageStates);
  const schedule = readSchedule(from['schedule'], faults);
  const audience = readAudience(from['audience'], faults);
  const pages = readList(from['pages'], '/pages', { faults, max: pageRulesMax }, readPage);
  const frequency = readFrequency(from['frequency'], faults);
  const caps = readCaps(from['caps'], faults);
  const suppress = readSuppress(from['suppress'], faults);
  const variants = readVariants(from, faults);
  const conversion = readConversion(from['conversion'], faults);
  if (name === undefined || state === undefined || audience === undefined) return undefined;
  if (pages === undefined || frequency === undefined || suppress === undefined) return undefined;
  if (variants === undefined || conversion === undefined) return undefined;
  return {
    name,
    description: faults.description(from),
    state,
    audience,
    pages,
    frequency,
    caps,
    suppress,
    ...schedule,
    priority: optionalInteger(from, 'priority', '', { faults, min: 0, max: priorityMax }) ?? priorityUsual,
    holdout: faults.holdout(from),
    variants,
    conversion,
  };
}

/** A visitor is in no segment: segments are of people. */
function readAudience(value: unknown, faults: Faults): Condition | null | undefined {
  if (value === undefined || value === null) return null;
  const condition = new ConditionParser(faults).parse(value, '/audience');
  if (condition === undefined) return undefined;
  for (const leaf of leavesOf(condition)) {
    if (leaf.type !== 'segment' && leaf.type !== 'relationship') continue;
    const message = 'a visitor is in no segment and belongs to no object: say it by events and attributes';
    faults.add(leaf.pointer, 'unknown_value', message);
  }
  return condition;
}

interface Within {
  readonly faults: Faults;
  readonly max: number;
}

function readList<T>(
  value: unknown,
  pointer: string,
  { faults, max }: Within,
  read: (value: unknown, pointer: string, faults: Faults) => T | undefined,
): readonly T[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    faults.add(pointer, 'wrong_type', 'must be a list');
    return;
  }
  if (value.length > max) {
    faults.add(pointer, 'too_many', `has at most ${String(max)} entries`);
    return;
  }
  const items = value.map((item: unknown, index) => read(item, pointerTo(pointer, index), faults));
  return items.every((item) => item !== undefined) ? items : undefined;
}

function readPage(value: unknown, pointer: string, faults: Faults): PageRule | undefined {
  const from = faults.object(value, pointer, ['contains', 'equals']);
  if (from === undefined) return;
  const forms = (['contains', 'equals'] as const).filter((form) => Object.hasOwn(from, form));
  const [type] = forms;
  if (type === undefined || forms.length > 1) {
    faults.add(pointer, 'ambiguous', 'must have exactly one of the keys contains, equals');
    return;
  }
  const text = faults.text(from, type, pointer, pageRuleCharsMax);
  if (text === undefined) return;
  if (text.split('*').length - 1 > wildcardsMax) {
    faults.add(pointerTo(pointer, type), 'too_many', `has at most ${String(wildcardsMax)} wildcards`);
    return;
  }
  return { type, text };
}

function readFrequency(value: unknown, faults: Faults): MessageFrequency | undefined {
  if (value === undefined) return { mode: 'until_interacted' };
  const from = faults.object(value, '/frequency', ['mode', 'times', 'gap']);
  if (from === undefined) return;
  if (Object.hasOwn(from, 'mode')) {
    for (const key of ['times', 'gap']) {
      if (from[key] !== undefined) {
        faults.add(pointerTo('/frequency', key), 'ambiguous', 'stands in the place of a mode, not beside it');
      }
    }
    const mode = faults.oneOf(from, 'mode', '/frequency', MODES);
    if (mode === undefined) return;
    return mode === 'once' ? { mode: 'times', times: 1, gapMs: 0 } : { mode };
  }
  const times = faults.integer(from, 'times', '/frequency', { min: 1, max: exposureCapMax });
  const gapMs = from['gap'] === undefined ? 0 : parseDurationAt(from['gap'], '/frequency/gap', faults);
  return times === undefined || gapMs === undefined ? undefined : { mode: 'times', times, gapMs };
}

function readCaps(value: unknown, faults: Faults): Caps {
  const none: Caps = { session: null, day: null, gapMs: null, group: null };
  if (value === undefined) return none;
  const from = faults.object(value, '/caps', ['session', 'day', 'gap', 'group']);
  if (from === undefined) return none;
  const bounds = { faults, min: 1, max: exposureCapMax };
  const gap = from['gap'];
  return {
    session: optionalInteger(from, 'session', '/caps', bounds),
    day: optionalInteger(from, 'day', '/caps', bounds),
    gapMs: gap === undefined ? null : (parseDurationAt(gap, '/caps/gap', faults) ?? null),
    group: from['group'] === undefined ? null : (faults.text(from, 'group', '/caps', textCharsMax) ?? null),
  };
}

function readSuppress(value: unknown, faults: Faults): readonly EventCondition[] | null | undefined {
  if (value === undefined) return null;
  return readList(value, '/suppress', { faults, max: suppressMax }, (item, pointer) => {
    const from = faults.object(item, pointer, ['event', 'type', 'where', 'within']);
    if (from === undefined) return;
    const matcher = parseMatcher(from, pointer, faults);
    const withinMs = parseDurationAt(from['within'], pointerTo(pointer, 'within'), faults);
    if (matcher === undefined || withinMs === undefined) return;
    return {
      type: 'event' as const,
      pointer,
      ...matcher,
      count: { type: 'at_least' as const, n: 1 },
      withinMs,
    };
  });
}

function readConversion(value: unknown, faults: Faults): Conversion | null | undefined {
  if (value === undefined) return null;
  const from = faults.object(value, '/conversion', ['event', 'type', 'where', 'within']);
  if (from === undefined) return;
  const matcher = parseMatcher(from, '/conversion', faults);
  const within = from['within'];
  const withinMs =
    within === undefined ? conversionMsUsual : parseDurationAt(within, '/conversion/within', faults);
  return matcher === undefined || withinMs === undefined ? undefined : { ...matcher, withinMs };
}

function readSchedule(value: unknown, faults: Faults): Pick<Message, 'from' | 'until'> {
  const none = { from: null, until: null };
  if (value === undefined) return none;
  const given = faults.object(value, '/schedule', ['from', 'until']);
  if (given === undefined) return none;
  const times = { from: readTime(given, 'from', faults), until: readTime(given, 'until', faults) };
  if (times.from !== null && times.until !== null && times.from >= times.until) {
    faults.add('/schedule/until', 'out_of_range', 'must be later than from');
  }
  return times;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

function readTime(from: JsonObject, key: string, faults: Faults): number | null {
  const value = from[key];
  if (value === undefined || value === null) return null;
  const ms = typeof value === 'string' && TIME.test(value) ? Date.parse(value) : NaN;
  if (!Number.isNaN(ms)) return ms;
  faults.add(pointerTo('/schedule', key), 'wrong_type', 'must be a time such as 2026-03-01T09:00:00Z');
  return null;
}

const VARIANT_ID = /^[A-Za-z0-9_-]{1,100}$/;

function readVariants(from: JsonObject, faults: Faults): readonly Variant[] | undefined {
  const given = from['variants'];
  if (given === undefined) {
    const content = readContent(from['content'], '/content', faults);
    return content === undefined ? undefined : [{ id: variantUsual, weight: 1, content }];
  }
  if (from['content'] !== undefined) {
    faults.add('/content', 'ambiguous', 'each variant has its own content');
  }
  const variants = readList(given, '/variants', { faults, max: variantsMax }, readVariant);
  if (variants?.length === 0) faults.add('/variants', 'required', 'must not be empty');
  const ids = variants?.map(({ id }) => id) ?? [];
  ids.forEach((id, index) => {
    if (ids.indexOf(id) < index) {
      faults.add(`/variants/${String(index)}/id`, 'ambiguous', 'another variant has this id');
    }
  });
  return variants;
}

function readVariant(value: unknown, pointer: string, faults: Faults): Variant | undefined {
  const from = faults.object(value, pointer, ['id', 'weight', 'content']);
  if (from === undefined) return;
  const id = faults.text(from, 'id', pointer, textCharsMax);
  const weight = faults.integer(from, 'weight', pointer, { min: 1, max: variantWeightMax });
  const content = readContent(from['content'], pointerTo(pointer, 'content'), faults);
  if (id !== undefined && (!VARIANT_ID.test(id) || id === 'holdout')) {
    const message = 'is 1 to 100 of A-Z, a-z, 0-9, _ and -, and not holdout';
    faults.add(pointerTo(pointer, 'id'), 'unknown_value', message);
  }
  return id === undefined || weight === undefined || content === undefined
    ? undefined
    : { id, weight, content };
}

interface IntegerBounds {
  readonly faults: Faults;
  readonly min: number;
  readonly max: number;
}

function optionalInteger(
  from: JsonObject,
  key: string,
  pointer: string,
  { faults, ...bounds }: IntegerBounds,
): number | null {
  return from[key] === undefined ? null : (faults.integer(from, key, pointer, bounds) ?? null);
}
