/** The segments and journeys of a workspace, compiled so that an event is asked only about rules that name it. Pure. */
import { createHash } from 'node:crypto';
import { isCounted, leavesOf, type Condition, type CountedCondition } from '../../rules/condition.ts';
import { StoredPatterns, type DefinitionPatterns } from '../../rules/definition-patterns.ts';
import { parseJourney, parseSegment } from '../../rules/parse.ts';
import { isJsonObject } from '../../rules/paths.ts';
import { stepsOfCondition } from '../../rules/rule-steps.ts';
import type { DefinitionsView, StoredDefinition } from '../../runtime/definitions.ts';
import { settingsOf, type WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { patternOwners, withRoomForPatterns } from '../../runtime/stored-patterns.ts';
import type { JourneyRule, ManualRule, PlacingRule, Rule, SegmentRule } from './rule-kinds.ts';
import { watchersOf, type EventWatchers } from './watchers.ts';

export type { JourneyRule, ManualRule, PlacingRule, Rule, SegmentRule } from './rule-kinds.ts';

export interface WorkspaceRules extends EventWatchers {
  /**
   * Equal when the definitions are, and otherwise by one chance in 2^32: a person whose state has another stamp is looked
   * at whole. Whoever makes two alike, by trying ids, leaves people of their own workspace as they are until the
   * definitions change again.
   */
  readonly stamp: number;
  /** A segment comes after those that it refers to; in a cycle, by id. */
  readonly segments: readonly SegmentRule[];
  readonly segmentsByKey: ReadonlyMap<string, SegmentRule>;
  /** Place in `segments`, by key. */
  readonly segmentPlaces: ReadonlyMap<string, number>;
  /** Keys. */
  readonly allSegments: ReadonlySet<string>;
  /** Keys of the segments that use the profile. */
  readonly profileSegments: ReadonlySet<string>;
  /** By key. */
  readonly manual: ReadonlyMap<string, ManualRule>;
  /** Keys of the segments whose rule refers to this segment id. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  readonly journeys: ReadonlyMap<string, JourneyRule>;
  /** Running journeys that a change of this segment id triggers. */
  readonly bySegment: ReadonlyMap<string, readonly JourneyRule[]>;
  /** Running journeys that an identify triggers. */
  readonly onIdentified: readonly JourneyRule[];
  readonly rulesByKey: ReadonlyMap<string, Rule>;
  /** Share of the workspace's people whom every journey leaves out for comparison, 0 to 1. */
  readonly globalHoldout: number;
  /** Segments that turn for nobody yet: the past of their rule, or of one that they refer to, is not in. By key. */
  readonly open: ReadonlySet<string>;
  /**
   * Of a journey that takes people of before: whoever reads them tells what time turned up to then, ms, also of somebody
   * whose timer runs only now. Absent: nobody reads them.
   */
  readonly placedTo?: (journeyId: string) => number;
  /** Segments whose rule counts events, or refers to one that does. By key. */
  readonly counting: ReadonlySet<string>;
  /** Stored definitions that this version of the product cannot read; they are left alone. */
  readonly unreadable: number;
  /** Patterns stored before a bound that they are over; they are found nowhere. */
  readonly unusablePatterns: number;
}

const none: ReadonlySet<string> = new Set();

/** What does not depend on whose past is in. */
type Compiled = Omit<WorkspaceRules, 'stamp' | 'open' | 'placedTo'>;
interface Remembered {
  readonly journeys: readonly StoredDefinition[];
  readonly settings: WorkspaceSettings;
  readonly compiled: Compiled;
}
/** By the list of segments, which is another when one of them changes: partitions of a process share it. */
const remembered = new WeakMap<readonly StoredDefinition[], Remembered>();

/** @param open keys of the rules whose past is not in yet. */
export function workspaceRules(
  definitions: DefinitionsView,
  workspace: string,
  open: ReadonlySet<string> = none,
): WorkspaceRules {
  const [segments, journeys] = [
    definitions.list('segment', workspace),
    definitions.list('journey', workspace),
  ];
  const settings = settingsOf(definitions, workspace);
  const known = remembered.get(segments);
  const isSame = known?.journeys === journeys && known.settings === settings;
  const compiled = isSame ? known.compiled : compile(definitions, workspace, [...segments, ...journeys]);
  if (!isSame) remembered.set(segments, { journeys, settings, compiled });
  return {
    ...compiled,
    stamp: stampOf([...segments, ...journeys], open),
    open: withReferring(compiled.segments, open),
  };
}

function compile(
  definitions: DefinitionsView,
  workspace: string,
  stored: readonly StoredDefinition[],
): Compiled {
  const withRoom = withRoomForPatterns(patternOwners(definitions, workspace));
  let unusablePatterns = 0;
  const parsed = stored.map((definition) => {
    const { rule, unusable } = parsedRule(definition, withRoom.has(definition));
    unusablePatterns += unusable;
    return rule;
  });
  const segments = inOrderOfReference(parsed.filter((rule) => rule !== undefined && 'when' in rule));
  const journeys = parsed.filter((rule) => rule !== undefined && 'journey' in rule);
  const running = journeys.filter(({ journey }) => journey.state === 'running');
  const manual = parsed.filter((rule) => rule !== undefined && 'manual' in rule);
  return {
    counting: withReferring(
      segments,
      new Set(segments.filter(({ events }) => events.length > 0).map(({ key }) => key)),
    ),
    ...watchersOf([...segments, ...journeys], running),
    segments,
    segmentsByKey: new Map(segments.map((rule) => [rule.key, rule])),
    segmentPlaces: new Map(segments.map(({ key }, place) => [key, place])),
    allSegments: new Set(segments.map(({ key }) => key)),
    profileSegments: new Set(segments.filter(({ usesProfile }) => usesProfile).map(({ key }) => key)),
    dependents: dependentsOf(segments),
    manual: new Map(manual.map((rule) => [rule.key, rule])),
    journeys: new Map(journeys.map((rule) => [rule.id, rule])),
    bySegment: grouped(running, ({ journey }) =>
      journey.trigger.type === 'segment' ? journey.trigger.segmentId : undefined,
    ),
    onIdentified: running.filter(({ journey }) => journey.trigger.type === 'identified'),
    rulesByKey: new Map(
      [...segments, ...manual, ...journeys, ...placingRules(stored)].map((rule) => [rule.key, rule]),
    ),
    unreadable: stored.length - segments.length - journeys.length - manual.length,
    globalHoldout: settingsOf(definitions, workspace).global_holdout,
    unusablePatterns,
  };
}

interface ParsedRule {
  readonly hasRoom: boolean;
  readonly rule: SegmentRule | ManualRule | JourneyRule | undefined;
  readonly unusable: number;
}
/** An edit of one definition parses that one. */
const parsedRules = new WeakMap<StoredDefinition, ParsedRule>();

function parsedRule(stored: StoredDefinition, hasRoom: boolean): ParsedRule {
  const known = parsedRules.get(stored);
  if (known?.hasRoom === hasRoom) return known;
  const patterns = new StoredPatterns(hasRoom);
  const rule = ruleOf(stored, patterns);
  const parsed = { hasRoom, rule, unusable: patterns.unusable };
  parsedRules.set(stored, parsed);
  return parsed;
}

function ruleOf(
  stored: StoredDefinition,
  patterns: DefinitionPatterns,
): SegmentRule | ManualRule | JourneyRule | undefined {
  const shared = { id: stored.id, version: stored.ruleVersion, definitionVersion: stored.version };
  if (stored.kind === 'segment') {
    const parsed = parseSegment(stored.body, patterns);
    if (!parsed.ok) return undefined;
    const key = segmentKey(stored.id);
    if (parsed.value.type === 'manual') return { ...shared, key, events: [], manual: true };
    const { when } = parsed.value;
    const usesProfile = leavesOf(when).some((leaf) => PROFILE_LEAVES.has(leaf.type));
    const refersTo = leavesOf(when).flatMap((leaf) => (leaf.type === 'segment' ? [leaf.segmentId] : []));
    return {
      ...shared,
      key,
      events: eventsOf(when),
      when,
      steps: stepsOfCondition(when),
      usesProfile,
      refersTo,
    };
  }
  const parsed = parseJourney(stored.body, patterns);
  if (!parsed.ok) return undefined;
  const { filters } = parsed.value;
  const events = filters === null ? [] : eventsOf(filters);
  const steps = filters === null ? 1 : stepsOfCondition(filters);
  const { trigger, state, key } = parsed.value;
  const stall = trigger.type === 'stall' && state === 'running' ? { stall: trigger } : {};
  const triggerKey = triggerKeyOf(stored.body, key);
  return { ...shared, key: `j:${stored.id}`, events, journey: parsed.value, steps, triggerKey, ...stall };
}

/** Also of journeys that have stopped, or what was read would be read again when they run. */
function placingRules(stored: readonly StoredDefinition[]): readonly PlacingRule[] {
  return stored.flatMap(({ kind, id, placedVersion: version }) =>
    kind === 'journey' && version !== undefined
      ? [{ key: placingKey(id), version, events: [], journeyId: id }]
      : [],
  );
}

export function placingKey(journeyId: string): string {
  return `t:${journeyId}`;
}

export function segmentKey(segmentId: string): string {
  return `s:${segmentId}`;
}

function triggerKeyOf(body: unknown, key: string | null): string {
  const trigger = isJsonObject(body) ? body['trigger'] : undefined;
  return createHash('sha256')
    .update(JSON.stringify([trigger, key]))
    .digest('hex')
    .slice(0, 12);
}

const PROFILE_LEAVES: ReadonlySet<string> = new Set(['attribute', 'relationship', 'age']);

function eventsOf(condition: Condition): CountedCondition[] {
  return leavesOf(condition).filter(isCounted);
}

/** These, and the segments that refer to one of them. @param segments in the order of their references. */
function withReferring(segments: readonly SegmentRule[], keys: ReadonlySet<string>): ReadonlySet<string> {
  if (keys.size === 0) return none;
  const all = new Set(keys);
  for (const rule of segments) {
    if (rule.refersTo.some((id) => all.has(segmentKey(id)))) all.add(rule.key);
  }
  return all;
}

function stampOf(stored: readonly StoredDefinition[], open: ReadonlySet<string>): number {
  const hash = createHash('sha256');
  for (const { kind, id, version } of stored) hash.update(`${kind}\0${id}\0${String(version)}\0`);
  for (const key of [...open].sort()) hash.update(`open\0${key}\0`);
  return hash.digest().readUInt32BE(0);
}

function dependentsOf(segments: readonly SegmentRule[]): ReadonlyMap<string, readonly string[]> {
  const pairs = segments.flatMap((rule) => rule.refersTo.map((referred) => ({ referred, key: rule.key })));
  const groups = grouped(pairs, ({ referred }) => referred);
  return new Map([...groups].map(([id, found]) => [id, found.map(({ key }) => key)]));
}

function inOrderOfReference(segments: readonly SegmentRule[]): readonly SegmentRule[] {
  const byId = new Map(segments.map((rule) => [rule.id, rule]));
  const ordered = new Set<SegmentRule>();
  const visiting = new Set<SegmentRule>();
  const visit = (rule: SegmentRule): void => {
    if (ordered.has(rule) || visiting.has(rule)) return; // done, or a cycle
    visiting.add(rule);
    for (const id of rule.refersTo) {
      const referred = byId.get(id);
      if (referred !== undefined) visit(referred);
    }
    visiting.delete(rule);
    ordered.add(rule);
  };
  for (const rule of segments) visit(rule);
  return [...ordered];
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
