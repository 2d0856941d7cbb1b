/** What a reader of the past is asked for. */
import type { CountedCondition } from '../rules/condition.ts';
import type { ReadAs } from './past-messages.ts';
import type { PlacingRule, Rule } from './decide/workspace-rules.ts';

/** Somebody who was taken apart. */
export interface Apart {
  readonly workspace: string;
  readonly personId: string;
  /** Number of the fact of the split. */
  readonly clearedBy: number;
}

export interface Placing {
  readonly journeyId: string;
  /** Of all partitions, in their order. */
  readonly fences: readonly number[];
  /** When the journey was met, ms. */
  readonly metAt: number;
  /** Up to where time is passed, ms. */
  readonly readTo: number;
}

export interface WantedPast {
  readonly workspace: string;
  readonly partition: number;
  /** Of the triggers of a journey, whose rule is the only one. */
  readonly placing?: Placing;
  /** Of all rules, and of this person alone, who was taken apart. */
  readonly apart?: Apart;
  readonly rules: readonly {
    readonly key: string;
    readonly version: number;
    readonly fence: number;
    readonly after: string;
    readonly conditions: readonly CountedCondition[];
  }[];
}

/** Whatever lies before it on events.merged of the partition is past. */
export function fenceOf({ rules }: WantedPast): number {
  return Math.max(...rules.map(({ fence }) => fence));
}

export function readAs({ rules, placing }: WantedPast): ReadAs {
  const fences = Object.fromEntries(rules.map(({ key, fence }) => [key, fence]));
  return placing === undefined ? { fences } : { fences, readTo: placing.readTo };
}

export function isPlacing(rule: Rule): rule is PlacingRule {
  return 'journeyId' in rule;
}
export function hasPast(rule: Rule): boolean {
  return rule.events.length > 0 || isPlacing(rule);
}
