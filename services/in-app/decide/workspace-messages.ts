/** The messages of a workspace, compiled so that an event is asked only about conditions that name it. Pure. */
import { contentIdOf } from '../../../schemas/content-ids.ts';
import { StoredPatterns } from '../../rules/definition-patterns.ts';
import type { Message } from '../../rules/message.ts';
import { parseMessage } from '../../rules/parse-message.ts';
import { stepsOfCondition, stepsOfMatcher } from '../../rules/rule-steps.ts';
import type { DefinitionsView, StoredDefinition } from '../../runtime/definitions.ts';
import { patternOwners, withRoomForPatterns } from '../../runtime/stored-patterns.ts';
import { matchersOf, type CountedCondition } from '../../rules/condition.ts';
import { markKey } from './mark-key.ts';
import { countedIn, namesOf } from './marks.ts';

/** One message, whatever others there are. */
interface OwnRule {
  readonly id: string;
  /** Stands for the id where Customer.io's plugin reports it; text. */
  readonly contentId: string;
  /** Of the definition. */
  readonly version: number;
  readonly message: Message;
  /** Of asking whether somebody is in its audience (services/rules/rule-steps.ts). */
  readonly audienceSteps: number;
  /** Of asking whether an event is what it was for. */
  readonly conversionSteps: number;
  /** What it counts: of its audience, and of what suppresses it. */
  readonly counted: readonly CountedCondition[];
  /** What its conditions remember is kept under, by their pointers (mark-key.ts). */
  readonly markKeys: ReadonlyMap<string, string>;
}
export interface MessageRule extends OwnRule {
  /** Messages of its group, itself among them; none without a group. */
  readonly groupIds: ReadonlySet<string>;
}

export interface WorkspaceMessages {
  readonly byId: ReadonlyMap<string, MessageRule>;
  /** By the number that stands for the id, as text (schemas/content-ids.ts). */
  readonly byContentId: ReadonlyMap<string, MessageRule>;
  /** Those that are running, the one that goes first first. */
  readonly running: readonly MessageRule[];
  /** By the name of an event; null: those that any event may count for. */
  readonly byName: ReadonlyMap<string | null, readonly Watcher[]>;
  /** Stored definitions that this version of the product cannot read; they are left alone. */
  readonly unreadable: number;
}
export interface Watcher {
  readonly rule: MessageRule;
  readonly counted: CountedCondition;
  /** Of asking it. */
  readonly steps: number;
}

export function workspaceMessages(definitions: DefinitionsView, workspace: string): WorkspaceMessages {
  const stored = definitions.list('message', workspace);
  const withRoom = withRoomForPatterns(patternOwners(definitions, workspace));
  const rules = inGroups(
    stored.flatMap((definition): readonly OwnRule[] => {
      const rule = parsedRule(definition, withRoom.has(definition));
      return rule === null ? [] : [rule];
    }),
  );
  return {
    byId: new Map(rules.map((rule) => [rule.id, rule])),
    // Of two with one number, which is rare, the first.
    byContentId: new Map(rules.toReversed().map((rule) => [rule.contentId, rule])),
    running: rules.filter(({ message }) => message.state === 'running').sort(inTurn),
    byName: watchersOf(rules),
    unreadable: stored.length - rules.length,
  };
}

interface Parsed {
  readonly hasRoom: boolean;
  /** null: it cannot be read. */
  readonly rule: OwnRule | null;
}
/** An edit of one message parses that one, for all partitions of the process. */
const parsedRules = new WeakMap<StoredDefinition, Parsed>();

function parsedRule(definition: StoredDefinition, hasRoom: boolean): OwnRule | null {
  const known = parsedRules.get(definition);
  if (known?.hasRoom === hasRoom) return known.rule;
  const parsed = parseMessage(definition.body, new StoredPatterns(hasRoom));
  const rule = parsed.ok ? ruleOf(definition, parsed.value) : null;
  parsedRules.set(definition, { hasRoom, rule });
  return rule;
}

function ruleOf({ id, version, body }: StoredDefinition, message: Message): OwnRule {
  const { audience, suppress } = message;
  const counted = [...countedIn(audience), ...(suppress ?? [])];
  const audienceSteps = audience === null ? 0 : stepsOfCondition(audience);
  const conversionSteps = message.conversion === null ? 1 : stepsOfMatcher(message.conversion);
  const contentId = String(contentIdOf(id));
  const markKeys = new Map(counted.map((one) => [one.pointer, markKey(one, body)]));
  return { id, contentId, version, message, audienceSteps, conversionSteps, counted, markKeys };
}

function inGroups(rules: readonly OwnRule[]): readonly MessageRule[] {
  const idsOf = new Map<string, Set<string>>();
  for (const { id, message } of rules) {
    const { group } = message.caps;
    if (group !== null) idsOf.set(group, (idsOf.get(group) ?? new Set()).add(id));
  }
  const none = new Set<string>();
  return rules.map((rule) => {
    const { group } = rule.message.caps;
    return { ...rule, groupIds: (group === null ? undefined : idsOf.get(group)) ?? none };
  });
}

function inTurn(a: MessageRule, b: MessageRule): number {
  return a.message.priority - b.message.priority || (a.id < b.id ? -1 : 1);
}

function stepsOf(counted: CountedCondition): number {
  return matchersOf(counted).reduce((sum, matcher) => sum + stepsOfMatcher(matcher), 0);
}

function watchersOf(rules: readonly MessageRule[]): ReadonlyMap<string | null, readonly Watcher[]> {
  const all = rules.flatMap((rule) =>
    rule.counted.flatMap((counted) =>
      [...new Set(namesOf(counted))].map((name) => ({
        name,
        watcher: { rule, counted, steps: stepsOf(counted) },
      })),
    ),
  );
  const watchers = new Map<string | null, Watcher[]>();
  for (const { name, watcher } of all) {
    const list = watchers.get(name);
    if (list === undefined) watchers.set(name, [watcher]);
    else list.push(watcher);
  }
  return watchers;
}
