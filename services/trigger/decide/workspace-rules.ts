/** The segments and journeys of a workspace, compiled so that an event is asked only about rules that name it. Pure. */
import { createHash } from 'node:crypto';
import {
  isCounted,
  leavesOf,
  matchersOf,
  type Condition,
  type CountedCondition,
  type EventMatcher,
  type EventType,
  type Journey,
  type Stall,
} from '../../rules/condition.ts';
import { StoredPatterns, type DefinitionPatterns } from '../../rules/definition-patterns.ts';
import { EVENT_TYPES } from '../../rules/parse-matcher.ts';
import { parseJourney, parseSegment } from '../../rules/parse.ts';
import { isJsonObject } from '../../rules/paths.ts';
import type { DefinitionsView, StoredDefinition } from '../../runtime/definitions.ts';
import { settingsOf } from '../../runtime/workspace-settings.ts';
import { patternOwners, withRoomForPatterns } from '../../runtime/stored-patterns.ts';

/** What keeps marks for each person: a segment's `when`, or a journey's `filters`. */
export interface Rule {
  /** Names the rule in a person's state: `s:<segment id>` or `j:<journey id>`. */
  readonly key: string;
  /** Version since which the conditions read the same; marks of another version are not this rule's. */
  readonly version: number;
  readonly events: readonly CountedCondition[];
}
/** Of a journey that takes people of before by the time of their trigger: what is read of the past is its triggers. */
export interface PlacingRule extends Rule {
  readonly journeyId: string;
}
export interface SegmentRule extends Rule {
  readonly id: string;
  readonly definitionVersion: number;
  readonly when: Condition;
  /** Attributes, objects that the person belongs to, and since when the person is known of. */
  readonly usesProfile: boolean;
}
/** Nobody is in it by a rule: members are put in and taken out. With another version it is another segment, and empty. */
export interface ManualRule extends Rule {
  readonly id: string;
  readonly definitionVersion: number;
  readonly manual: true;
}
export interface JourneyRule extends Rule {
  readonly id: string;
  readonly definitionVersion: number;
  readonly journey: Journey;
  /** Of a journey that runs and is triggered by one. */
  readonly stall?: Stall;
  /** Another for another trigger: 48 bits of its text. */
  readonly triggerKey: string;
}

/** What an event of a name is asked. */
export interface Watchers {
  readonly counted: readonly { readonly rule: Rule; readonly condition: CountedCondition }[];
  readonly triggers: readonly JourneyRule[];
}

export interface WorkspaceRules {
  /**
   * Equal when the definitions are, and otherwise by one chance in 2^32: a person whose state has another stamp is looked
   * at whole. Whoever makes two alike, by trying ids, leaves people of their own workspace as they are until the
   * definitions change again.
   */
  readonly stamp: number;
  /** Of a name that a rule says, with those that ask every event. */
  readonly byName: ReadonlyMap<string, Watchers>;
  /** Of any other name, or of none, by type. */
  readonly ofAnyName: ReadonlyMap<EventType, Watchers>;
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
  /** Segments whose rule counts events, or refers to one that does. By key. */
  readonly counting: ReadonlySet<string>;
  /** Stored definitions that this version of the product cannot read; they are left alone. */
  readonly unreadable: number;
  /** Patterns stored before a bound that they are over; they are found nowhere. */
  readonly unusablePatterns: number;
}

const none: ReadonlySet<string> = new Set();

/** @param open keys of the rules whose past is not in yet. */
export function workspaceRules(
  definitions: DefinitionsView,
  workspace: string,
  open: ReadonlySet<string> = none,
): WorkspaceRules {
  const stored = [...definitions.list('segment', workspace), ...definitions.list('journey', workspace)];
  const withRoom = withRoomForPatterns(patternOwners(definitions, workspace));
  let unusablePatterns = 0;
  const parsed = stored.map((definition) => {
    const patterns = new StoredPatterns(withRoom.has(definition));
    const rule = ruleOf(definition, patterns);
    unusablePatterns += patterns.unusable;
    return rule;
  });
  const segments = inOrderOfReference(parsed.filter((rule) => rule !== undefined && 'when' in rule));
  const journeys = parsed.filter((rule) => rule !== undefined && 'journey' in rule);
  const running = journeys.filter(({ journey }) => journey.state === 'running');
  const manual = parsed.filter((rule) => rule !== undefined && 'manual' in rule);
  return {
    stamp: stampOf(stored, open),
    open: withReferring(segments, open),
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
    return { ...shared, key, events: eventsOf(when), when, usesProfile };
  }
  const parsed = parseJourney(stored.body, patterns);
  if (!parsed.ok) return undefined;
  const { filters } = parsed.value;
  const events = filters === null ? [] : eventsOf(filters);
  const { trigger, state, key } = parsed.value;
  const stall = trigger.type === 'stall' && state === 'running' ? { stall: trigger } : {};
  const triggerKey = triggerKeyOf(stored.body, key);
  return { ...shared, key: `j:${stored.id}`, events, journey: parsed.value, triggerKey, ...stall };
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
    if (referencesOf(rule).some((id) => all.has(segmentKey(id)))) all.add(rule.key);
  }
  return all;
}

function stampOf(stored: readonly StoredDefinition[], open: ReadonlySet<string>): number {
  const hash = createHash('sha256');
  for (const { kind, id, version } of stored) hash.update(`${kind}\0${id}\0${String(version)}\0`);
  for (const key of [...open].sort()) hash.update(`open\0${key}\0`);
  return hash.digest().readUInt32BE(0);
}

function watchersOf(
  rules: readonly Rule[],
  running: readonly JourneyRule[],
): Pick<WorkspaceRules, 'byName' | 'ofAnyName'> {
  const asks: readonly Asks[] = [
    ...rules.flatMap((rule) =>
      rule.events.map((condition) => ({ rule, condition, matchers: matchersOf(condition) })),
    ),
    ...running.flatMap((rule) => {
      const { trigger } = rule.journey;
      if (trigger.type === 'event') return [{ trigger: rule, matchers: [trigger] }];
      return trigger.type === 'stall' ? [{ trigger: rule, matchers: [trigger.of, trigger.without] }] : [];
    }),
  ];
  const ofAnyName = asks.filter(({ matchers }) => matchers.some(({ name }) => name === null));
  const named = new Map<string, Set<Asks>>();
  for (const one of asks) {
    for (const { name } of one.matchers) {
      if (name === null) continue;
      const group = named.get(name) ?? new Set(ofAnyName);
      named.set(name, group.add(one));
    }
  }
  const types = EVENT_TYPES.map((type) => [type, ofAnyName.filter((one) => mayBe(one, type))] as const);
  return {
    byName: new Map([...named].map(([name, group]) => [name, asWatchers([...group])])),
    ofAnyName: new Map(
      types.filter(([, group]) => group.length > 0).map(([type, group]) => [type, asWatchers(group)]),
    ),
  };
}

/** What a rule, or a journey's trigger, asks of an event. */
type Asks = { readonly matchers: readonly EventMatcher[] } & (
  { readonly rule: Rule; readonly condition: CountedCondition } | { readonly trigger: JourneyRule }
);

function mayBe({ matchers }: Asks, type: EventType): boolean {
  return matchers.some(({ name, eventType }) => name === null && (eventType === null || eventType === type));
}

function asWatchers(asks: readonly Asks[]): Watchers {
  return {
    counted: asks.flatMap((one) => ('rule' in one ? [one] : [])),
    triggers: asks.flatMap((one) => ('trigger' in one ? [one.trigger] : [])),
  };
}

/** What an event is asked; undefined: nothing. */
export function watchersFor(rules: WorkspaceRules, type: string, name: string | null): Watchers | undefined {
  const named = name === null ? undefined : rules.byName.get(name);
  if (named !== undefined || rules.ofAnyName.size === 0) return named;
  const eventType = EVENT_TYPES.find((one) => one === type);
  return eventType && rules.ofAnyName.get(eventType);
}

function referencesOf(rule: SegmentRule): string[] {
  return leavesOf(rule.when).flatMap((leaf) => (leaf.type === 'segment' ? [leaf.segmentId] : []));
}

function dependentsOf(segments: readonly SegmentRule[]): ReadonlyMap<string, readonly string[]> {
  const pairs = segments.flatMap((rule) =>
    referencesOf(rule).map((referred) => ({ referred, key: rule.key })),
  );
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
    for (const id of referencesOf(rule)) {
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
