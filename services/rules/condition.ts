/**
 * The language of conditions as parsed (contract, *Definitions*). Every condition carries the JSON pointer of the place in the
 * definition that said it: the pointer names its state, its faults and its line in an explanation.
 */
import type { Pattern } from '../runtime/pattern.ts';

export type Scalar = string | number | boolean;
export type EventType = 'event' | 'page' | 'screen';

/** What is asked of one value. A missing value and a value of another type are answered in operators.ts. */
export type Check =
  | { readonly type: 'exists' | 'not_exists' | 'is_timestamp' }
  | { readonly type: 'eq' | 'neq' | 'contains' | 'not_contains'; readonly value: Scalar }
  | { readonly type: 'starts_with' | 'ends_with'; readonly value: string }
  | { readonly type: 'matches'; readonly pattern: Pattern }
  | { readonly type: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: number | string }
  | { readonly type: 'in' | 'not_in'; readonly values: readonly Scalar[] }
  | {
      readonly type: 'before_ago' | 'after_ago' | 'before_from_now' | 'after_from_now';
      readonly durationMs: number;
    };
export type Operator = Check['type'];

export const operators = [
  'exists',
  'not_exists',
  'eq',
  'neq',
  'contains',
  'not_contains',
  'starts_with',
  'ends_with',
  'matches',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'not_in',
  'is_timestamp',
  'before_ago',
  'after_ago',
  'before_from_now',
  'after_from_now',
] as const satisfies readonly Operator[];

export interface Test {
  /** Of a property: an own key, else dots lead into objects. */
  readonly path: string;
  readonly check: Check;
}

export type Count =
  | { readonly type: 'at_least'; readonly n: number }
  | { readonly type: 'at_most'; readonly n: number }
  | { readonly type: 'distinct'; readonly path: string; readonly n: number };

/** Which events count, whatever their number and age. */
export interface EventMatcher {
  readonly name: string;
  /** null: any of event, page, screen. */
  readonly eventType: EventType | null;
  readonly where: readonly Test[];
}

export interface EventCondition extends EventMatcher {
  readonly type: 'event';
  readonly pointer: string;
  readonly count: Count;
  readonly withinMs: number | null;
}
export interface AttributeCondition extends Test {
  readonly type: 'attribute';
  readonly pointer: string;
}
export interface SegmentCondition {
  readonly type: 'segment';
  readonly pointer: string;
  readonly segmentId: string;
}
export type LeafCondition = EventCondition | AttributeCondition | SegmentCondition;
export type Condition =
  | { readonly type: 'all' | 'any'; readonly pointer: string; readonly of: readonly Condition[] }
  | { readonly type: 'not'; readonly pointer: string; readonly of: Condition }
  | LeafCondition;

export type Segment =
  | {
      readonly type: 'data_driven';
      readonly name: string;
      readonly description: string | null;
      readonly when: Condition;
    }
  | { readonly type: 'manual'; readonly name: string; readonly description: string | null };

export type Trigger =
  | ({ readonly type: 'event' } & EventMatcher)
  | { readonly type: 'segment'; readonly segmentId: string; readonly on: 'enter' | 'leave' }
  | { readonly type: 'identified' };

export type Frequency =
  | { readonly mode: 'once' }
  | { readonly mode: 'every_rematch'; readonly gapMs: number }
  | { readonly mode: 'interval'; readonly everyMs: number };

export interface Journey {
  readonly name: string;
  readonly state: 'draft' | 'running' | 'stopped';
  readonly trigger: Trigger;
  readonly filters: Condition | null;
  readonly frequency: Frequency;
  /** Share of people, 0 to 1, who are eligible and never enter. */
  readonly holdout: number;
  readonly includeCurrent: boolean;
}

/** Every leaf below a condition, left to right. */
export function leavesOf(condition: Condition): LeafCondition[] {
  switch (condition.type) {
    case 'all':
    case 'any':
      return condition.of.flatMap(leavesOf);
    case 'not':
      return leavesOf(condition.of);
    default:
      return [condition];
  }
}
