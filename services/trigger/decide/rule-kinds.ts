/** The segments and journeys of a workspace, each as it is compiled. */
import type { Condition, CountedCondition, Journey, Stall } from '../../rules/condition.ts';

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
  /** Of asking whether it holds (services/rules/rule-steps.ts). */
  readonly steps: number;
  /** Attributes, objects that the person belongs to, and since when the person is known of. */
  readonly usesProfile: boolean;
  /** Ids of the segments that it refers to. */
  readonly refersTo: readonly string[];
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
  /** Of asking its filters. */
  readonly steps: number;
  /** Of a journey that runs and is triggered by one. */
  readonly stall?: Stall;
  /** Another for another trigger: 48 bits of its text. */
  readonly triggerKey: string;
}
