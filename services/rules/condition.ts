/**
 * The language of conditions as parsed (contract, *Definitions*). Every condition carries the JSON pointer of the place in the
 * definition that said it: the pointer names its state, its faults and its line in an explanation.
 */
import type { JsonNumber } from '../runtime/exact-json.ts';
import { unreachable } from '../runtime/errors.ts';
import type { Pattern } from '../runtime/pattern.ts';
import { DEVICE_GONE, DEVICE_TOLD } from './device-names.ts';

export type Scalar = string | JsonNumber | boolean;
export type EventType = 'event' | 'page' | 'screen';

/** What is asked of one value. A missing value and a value of another type are answered in operators.ts. */
export type Check =
  | { readonly type: 'exists' | 'not_exists' | 'is_timestamp' }
  | { readonly type: 'eq' | 'neq' | 'contains' | 'not_contains'; readonly value: Scalar }
  | { readonly type: 'starts_with' | 'ends_with'; readonly value: string }
  | { readonly type: 'matches'; readonly pattern: Pattern }
  | { readonly type: 'gt' | 'gte' | 'lt' | 'lte'; readonly value: JsonNumber | string }
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

/** Keys by which a condition is told from others; pages and screens may have `type` alone. */
export const conditionForms = [
  'all',
  'any',
  'not',
  'event',
  'sequence',
  'attribute',
  'relationship',
  'device',
  'segment',
] as const;

export interface Test {
  /** Of a property: an own key, else dots lead into objects. */
  readonly path: string;
  readonly check: Check;
}

export type Count =
  | { readonly type: 'at_least' | 'at_most'; readonly n: number }
  /** Of the values of a property: those of at least n, or of at most n, events each another. */
  | { readonly type: 'distinct' | 'distinct_at_most'; readonly path: string; readonly n: number };

/** Which events count, whatever their number and age. */
export interface EventMatcher {
  /** null: any that passes `nameCheck`. */
  readonly name: string | null;
  /** null: no test. Both null: all of the type, also pages and screens without a name. */
  readonly nameCheck: Check | null;
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

/** Something happened, and nothing that answers it came in the time after (spec D.2). */
export interface Stall {
  readonly of: EventMatcher;
  readonly without: EventMatcher;
  readonly forMs: number;
  /** What another one within the time does: the time starts anew, or goes on. */
  readonly rearm: 'restart' | 'ignore';
}
export interface StallCondition extends Stall {
  readonly type: 'stall';
  readonly pointer: string;
  /** It began within this time; longer than `forMs`. null: whenever. */
  readonly withinMs: number | null;
}

/** Steps one after the other, each an event of its own; and then, where it says so, none of another kind in a time. */
export interface SequenceCondition {
  readonly type: 'sequence';
  readonly pointer: string;
  readonly steps: readonly EventMatcher[];
  /** All steps within this time. */
  readonly withinMs: number | null;
  readonly without: { readonly matcher: EventMatcher; readonly forMs: number } | null;
}
/** Devices that the person has: how many of them pass (devices.ts). */
export interface DeviceCondition {
  readonly type: 'device';
  readonly pointer: string;
  /** Of its token, platform and last_used, else of its attributes. */
  readonly where: readonly Test[];
  readonly count: { readonly type: 'at_least' | 'at_most'; readonly n: number };
  /** Something was said of it within this time. */
  readonly withinMs: number | null;
}
/** What remembers events of a person (memory.ts). */
export type CountedCondition = EventCondition | StallCondition | SequenceCondition | DeviceCondition;

export interface AttributeCondition extends Test {
  readonly type: 'attribute';
  readonly pointer: string;
}
export interface SegmentCondition {
  readonly type: 'segment';
  readonly pointer: string;
  readonly segmentId: string;
}
/** Objects that the person belongs to: how many of them pass. */
export interface RelationshipCondition {
  readonly type: 'relationship';
  readonly pointer: string;
  readonly objectType: string;
  /** null: any. */
  readonly objectId: string | null;
  /** Of the attributes of the relationship. */
  readonly where: readonly Test[];
  /** Of the attributes of the object. */
  readonly objectWhere: readonly Test[];
  readonly count: { readonly type: 'at_least' | 'at_most'; readonly n: number };
}
/** The person has been known of for so long: what `"age": "required"` asks beside a `not`. */
export interface AgeCondition {
  readonly type: 'age';
  readonly pointer: string;
  readonly atLeastMs: number;
}
export type LeafCondition =
  CountedCondition | AttributeCondition | SegmentCondition | RelationshipCondition | AgeCondition;
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
  | ({ readonly type: 'stall' } & Stall)
  | { readonly type: 'segment'; readonly segmentId: string; readonly on: 'entered' | 'left' }
  | { readonly type: 'identified' };

export type Frequency =
  | { readonly mode: 'once' }
  | { readonly mode: 'every_rematch'; readonly gapMs: number }
  | { readonly mode: 'interval'; readonly everyMs: number }
  | { readonly mode: 'at_most'; readonly times: number; readonly perMs: number };

export interface Journey {
  readonly name: string;
  readonly state: 'draft' | 'running' | 'stopped';
  readonly trigger: Trigger;
  readonly filters: Condition | null;
  readonly frequency: Frequency;
  /** Path of a property of the trigger's event: one run for each of its values. null: one for the person. */
  readonly key: string | null;
  /** Share of people, 0 to 1, who are eligible and never enter. */
  readonly holdout: number;
  /** People of before: whom a new segment finds, or who had triggered it, by the time of their trigger. */
  readonly includeCurrent: boolean | 'as_of_trigger';
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

export function isCounted(leaf: LeafCondition): leaf is CountedCondition {
  return leaf.type === 'event' || leaf.type === 'stall' || leaf.type === 'sequence' || leaf.type === 'device';
}

/** The matchers of what remembers events, in the order of their numbers in its marks. */
export function matchersOf(condition: CountedCondition): readonly EventMatcher[] {
  switch (condition.type) {
    case 'event':
      return [condition];
    case 'stall':
      return [condition.of, condition.without];
    case 'sequence':
      return condition.without === null ? condition.steps : [...condition.steps, condition.without.matcher];
    case 'device':
      return deviceMatchers(condition);
    default:
      return unreachable(condition);
  }
}

function deviceMatchers({ where }: DeviceCondition): readonly EventMatcher[] {
  const of = { nameCheck: null, eventType: 'event' } as const;
  return [
    { ...of, name: DEVICE_TOLD, where },
    { ...of, name: DEVICE_GONE, where: [] },
  ];
}
