/** The messages of a workspace, compiled so that an event is asked only about conditions that name it. Pure. */
import { StoredPatterns } from '../../rules/definition-patterns.ts';
import type { Message } from '../../rules/message.ts';
import { parseMessage } from '../../rules/parse-message.ts';
import type { DefinitionsView } from '../../runtime/definitions.ts';
import { patternOwners, withRoomForPatterns } from '../../runtime/stored-patterns.ts';
import type { CountedCondition } from '../../rules/condition.ts';
import { countedIn, namesOf } from './marks.ts';

export interface MessageRule {
  readonly id: string;
  /** Of the definition. */
  readonly version: number;
  /** Version since which the conditions read the same; marks of another version are not this rule's. */
  readonly ruleVersion: number;
  readonly message: Message;
  /** What it counts: of its audience, and of what suppresses it. */
  readonly counted: readonly CountedCondition[];
}

export interface WorkspaceMessages {
  readonly byId: ReadonlyMap<string, MessageRule>;
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
}

export function workspaceMessages(definitions: DefinitionsView, workspace: string): WorkspaceMessages {
  const stored = definitions.list('message', workspace);
  const withRoom = withRoomForPatterns(patternOwners(definitions, workspace));
  const rules = stored.flatMap((definition): readonly MessageRule[] => {
    const parsed = parseMessage(definition.body, new StoredPatterns(withRoom.has(definition)));
    if (!parsed.ok) return [];
    const { id, version, ruleVersion } = definition;
    const { audience, suppress } = parsed.value;
    const counted = [...countedIn(audience), ...(suppress ?? [])];
    return [{ id, version, ruleVersion, message: parsed.value, counted }];
  });
  return {
    byId: new Map(rules.map((rule) => [rule.id, rule])),
    running: rules.filter(({ message }) => message.state === 'running').sort(inTurn),
    byName: watchersOf(rules),
    unreadable: stored.length - rules.length,
  };
}

function inTurn(a: MessageRule, b: MessageRule): number {
  return a.message.priority - b.message.priority || (a.id < b.id ? -1 : 1);
}

function watchersOf(rules: readonly MessageRule[]): ReadonlyMap<string | null, readonly Watcher[]> {
  const all = rules.flatMap((rule) =>
    rule.counted.flatMap((counted) =>
      [...new Set(namesOf(counted))].map((name) => ({ name, watcher: { rule, counted } })),
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
