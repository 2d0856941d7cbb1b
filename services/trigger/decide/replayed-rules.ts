/**
 * The rules that a replay of one journey goes by: the journey as a draft and as it runs, the segments that it leads to, and
 * nothing else, so that a history is asked only what matters. Pure.
 */
import {
  leavesOf,
  matchersOf,
  type Condition,
  type EventMatcher,
  type Journey,
} from '../../rules/condition.ts';
import type { DefinitionsView, StoredDefinition } from '../../runtime/definitions.ts';
import { isJsonObject } from '../../rules/paths.ts';
import { workspaceRules, type JourneyRule, type WorkspaceRules } from './workspace-rules.ts';

export interface ReplayedRules {
  readonly before: WorkspaceRules;
  readonly live: WorkspaceRules;
  /** Running, whatever its state. */
  readonly rule: JourneyRule;
  /** As it is stored, or as it would be. */
  readonly state: JourneyRule['journey']['state'];
  /** Who may have triggered it: who did something, who was identified, or whoever was there. */
  readonly by: 'events' | 'identified' | 'anybody';
  /** Of the events that matter; null: any. */
  readonly names: readonly string[] | null;
  /** Of the events that may trigger; null: any. Empty where no event does. */
  readonly triggerNames: readonly string[] | null;
  /** Of the events that may answer a stall which is still to begin; null: any. Absent: it is none. */
  readonly answerNames?: readonly string[] | null;
  /** Ids of manual segments that matter. */
  readonly manual: readonly string[];
}

/** @param journey stored, or as it would be. undefined: it is none that this version can read. */
export function replayedRules(
  definitions: DefinitionsView,
  workspace: string,
  journey: StoredDefinition,
): ReplayedRules | undefined {
  const all = workspaceRules(
    only(definitions, journey, () => true),
    workspace,
  );
  const rule = all.journeys.get(journey.id);
  if (rule === undefined) return undefined;
  const needed = segmentsBehind(rule.journey, all);
  const compiled = (state: 'draft' | 'running', version: number): WorkspaceRules => {
    const body = { ...(isJsonObject(journey.body) ? journey.body : {}), state };
    return workspaceRules(
      only(definitions, { ...journey, body, version }, (id) => needed.has(id)),
      workspace,
    );
  };
  // The version tells the two apart; what was counted before counts on, since the rule is the same.
  const live = compiled('running', journey.version);
  const running = live.journeys.get(journey.id);
  if (running === undefined) return undefined;
  const counted = [...live.rulesByKey.values()].flatMap(({ events }) => events.flatMap(matchersOf));
  const triggers = triggerMatchers(running.journey);
  return {
    before: compiled('draft', 0),
    live,
    rule: running,
    state: rule.journey.state,
    by: triggeredBy(running.journey),
    names: namesOf([...counted, ...triggers]),
    triggerNames: namesOf(triggers.slice(0, 1)),
    ...(triggers.length > 1 && { answerNames: namesOf(triggers.slice(1)) }),
    manual: [...live.manual.values()].map(({ id }) => id),
  };
}

function triggeredBy({ trigger }: Journey): ReplayedRules['by'] {
  switch (trigger.type) {
    case 'event':
    case 'stall':
      return 'events';
    case 'identified':
      return 'identified';
    case 'segment':
      return 'anybody';
  }
}

/** The first is what may trigger; of a stall the second answers. */
function triggerMatchers({ trigger }: Journey): readonly EventMatcher[] {
  if (trigger.type === 'event') return [trigger];
  return trigger.type === 'stall' ? [trigger.of, trigger.without] : [];
}

function namesOf(matchers: readonly EventMatcher[]): readonly string[] | null {
  const names = matchers.map(({ name }) => name);
  return names.includes(null) ? null : [...new Set(names.filter((name) => name !== null))];
}

/** Of this journey alone, and of these segments. */
function only(
  definitions: DefinitionsView,
  journey: StoredDefinition,
  isNeeded: (segmentId: string) => boolean,
): DefinitionsView {
  return {
    offset: definitions.offset,
    clock: definitions.clock,
    get: (kind, workspace, id) => {
      if (kind === 'journey') return id === journey.id ? journey : undefined;
      return definitions.get(kind, workspace, id);
    },
    list: (kind, workspace) => {
      if (kind === 'journey') return [journey];
      const all = definitions.list(kind, workspace);
      return kind === 'segment' ? all.filter(({ id }) => isNeeded(id)) : all;
    },
  };
}

function segmentsBehind({ trigger, filters }: Journey, all: WorkspaceRules): ReadonlySet<string> {
  const whenOf = new Map(all.segments.map(({ id, when }) => [id, when]));
  const found = new Set<string>();
  const open = [
    ...(trigger.type === 'segment' ? [trigger.segmentId] : []),
    ...(filters === null ? [] : referredBy(filters)),
  ];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    const when = whenOf.get(id);
    if (when !== undefined) open.push(...referredBy(when));
  }
  return found;
}

function referredBy(condition: Condition): readonly string[] {
  return leavesOf(condition).flatMap((leaf) => (leaf.type === 'segment' ? [leaf.segmentId] : []));
}
