/** What an event is asked: by the rules that say its name, and by those that ask every event. Pure. */
import {
  matchersOf,
  type CountedCondition,
  type EventMatcher,
  type EventType,
} from '../../rules/condition.ts';
import { EVENT_TYPES } from '../../rules/parse-matcher.ts';
import { stepsOfMatcher } from '../../rules/rule-steps.ts';
import type { JourneyRule, Rule } from './rule-kinds.ts';

export interface Watchers {
  readonly counted: readonly { readonly rule: Rule; readonly condition: CountedCondition }[];
  readonly triggers: readonly JourneyRule[];
  /** What it takes to ask them all, in steps (services/rules/pattern-steps.ts). */
  readonly steps: number;
}

/**
 * Apart from each other and never put together, or what a workspace's rules take in memory would be the product of its
 * names and of the rules that ask every event.
 */
export interface EventWatchers {
  /** Those that say the name. */
  readonly byName: ReadonlyMap<string, Watchers>;
  /** Those that ask every event of the type. */
  readonly ofAnyName: ReadonlyMap<EventType, Watchers>;
}

/** What a rule, or a journey's trigger, asks of an event. */
type Asks = { readonly matchers: readonly EventMatcher[] } & (
  { readonly rule: Rule; readonly condition: CountedCondition } | { readonly trigger: JourneyRule }
);

export function watchersOf(rules: readonly Rule[], running: readonly JourneyRule[]): EventWatchers {
  const asks: readonly Asks[] = [
    ...rules.flatMap((rule) =>
      rule.events.map((condition) => ({ rule, condition, matchers: matchersOf(condition) })),
    ),
    ...running.flatMap((rule) => {
      const matchers = triggerMatchers(rule);
      return matchers.length === 0 ? [] : [{ trigger: rule, matchers }];
    }),
  ];
  const named = new Map<string, Set<Asks>>();
  for (const one of asks) {
    for (const { name } of one.matchers) {
      if (name === null) continue;
      const group = named.get(name) ?? new Set();
      named.set(name, group.add(one));
    }
  }
  const types = EVENT_TYPES.map(
    (type) => [type, asks.filter(({ matchers }) => asksAny(matchers, type))] as const,
  );
  return {
    byName: new Map([...named].map(([name, group]) => [name, asWatchers([...group])])),
    ofAnyName: new Map(
      types.filter(([, group]) => group.length > 0).map(([type, group]) => [type, asWatchers(group)]),
    ),
  };
}

/** Whether an event is asked anything. */
export function isWatched(rules: EventWatchers, type: string, name: string | null): boolean {
  return (name !== null && rules.byName.has(name)) || ofAnyName(rules, type) !== undefined;
}

/** What an event is asked, those that ask every event first; undefined: nothing. */
export function watchersFor(rules: EventWatchers, type: string, name: string | null): Watchers | undefined {
  const named = name === null ? undefined : rules.byName.get(name);
  const any = ofAnyName(rules, type);
  if (named === undefined || any === undefined) return named ?? any;
  const isOnce = (matchers: readonly EventMatcher[]) => !asksAny(matchers, type);
  return {
    counted: [...any.counted, ...named.counted.filter(({ condition }) => isOnce(matchersOf(condition)))],
    triggers: [...any.triggers, ...named.triggers.filter((rule) => isOnce(triggerMatchers(rule)))],
    steps: any.steps + named.steps,
  };
}

function ofAnyName(rules: EventWatchers, type: string): Watchers | undefined {
  if (rules.ofAnyName.size === 0) return undefined;
  const eventType = EVENT_TYPES.find((one) => one === type);
  return eventType && rules.ofAnyName.get(eventType);
}

function triggerMatchers({ journey: { trigger } }: JourneyRule): readonly EventMatcher[] {
  if (trigger.type === 'event') return [trigger];
  return trigger.type === 'stall' ? [trigger.of, trigger.without] : [];
}

function asksAny(matchers: readonly EventMatcher[], type: string): boolean {
  return matchers.some(({ name, eventType }) => name === null && (eventType === null || eventType === type));
}

function asWatchers(asks: readonly Asks[]): Watchers {
  return {
    counted: asks.flatMap((one) => ('rule' in one ? [one] : [])),
    triggers: asks.flatMap((one) => ('trigger' in one ? [one.trigger] : [])),
    steps: asks.reduce(
      (sum, { matchers }) => sum + matchers.reduce((all, one) => all + stepsOfMatcher(one), 0),
      0,
    ),
  };
}
