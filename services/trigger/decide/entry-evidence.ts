/**
 * What an entry rests on: the events that its conditions counted, those that began its stall, and the visitor that the
 * person was, so that whoever sends can name the very items (spec E rows 91 and 111). Message ids and no properties: the
 * topic of entries is kept for ever, and what people did is not. Pure.
 */
import type { CountedCondition } from '../../rules/condition.ts';
import type { Evidence } from '../../rules/evaluate.ts';
import { foundIn } from '../../rules/memory.ts';
import type { Rule } from './workspace-rules.ts';

export interface EntryEvidence {
  /** Under which the person was a visitor, where the record that triggered says one. */
  readonly anonymous_id?: string;
  /** Events that began the stall, latest first. */
  readonly begun?: readonly string[];
  readonly conditions: readonly RestsOn[];
}

interface RestsOn {
  /** Of the segment whose change triggered; absent: of the journey's filters. */
  readonly segment?: string;
  readonly pointer: string;
  /** Message ids, latest first; as many as decide it. */
  readonly events: readonly string[];
}

/** Of one entry; the latest of what comes first. */
export const entryEventsMax = 200;

export interface EntryAsked {
  readonly anonymousId: string | null;
  readonly begun: readonly string[];
  readonly rules: readonly { readonly segment?: string; readonly rule: Rule; readonly evidence: Evidence }[];
}

/** null: it rests on nothing but its trigger. */
export function entryEvidence({ anonymousId, begun, rules }: EntryAsked): EntryEvidence | null {
  let room = entryEventsMax;
  const take = (events: readonly string[]): readonly string[] => {
    const taken = events.slice(0, room);
    room -= taken.length;
    return taken;
  };
  const first = take(begun);
  const conditions = rules.flatMap(({ segment, rule, evidence }) =>
    rule.events.flatMap((condition): RestsOn[] => {
      const events = take(eventsOf(condition, evidence));
      if (events.length === 0) return [];
      return [{ ...(segment === undefined ? {} : { segment }), pointer: condition.pointer, events }];
    }),
  );
  if (anonymousId === null && first.length === 0 && conditions.length === 0) return null;
  return {
    ...(anonymousId === null ? {} : { anonymous_id: anonymousId }),
    ...(first.length === 0 ? {} : { begun: first }),
    conditions,
  };
}

function eventsOf(condition: CountedCondition, evidence: Evidence): readonly string[] {
  return foundIn(condition, evidence.marks(condition.pointer), evidence.now).events;
}
