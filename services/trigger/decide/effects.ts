/** What deciding about a person leads to. outputs.ts writes most of them to their topics, people-store.ts keeps the rest. */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { EntryEvidence } from './entry-evidence.ts';
import type { HeldTrigger } from './held-triggers.ts';
import type { ObjectKey } from './objects.ts';
import type { Profile } from './profile.ts';

/**
 * What turns a segment: a call about the person or an object of theirs, time alone, a definition that was made, changed or
 * deleted, or what was done to the person.
 */
export type SegmentCause = 'call' | 'time' | 'definition' | 'merge' | 'split' | 'deletion';

export type Effect =
  | {
      readonly type: 'segment_changed';
      readonly segmentId: string;
      readonly change: 'entered' | 'left';
      readonly at: number;
      readonly cause: SegmentCause;
      /** null: no call caused it. */
      readonly causeMessageId: string | null;
      readonly ruleVersion: number;
    }
  | {
      readonly type: 'journey_entered';
      readonly journeyId: string;
      /** Which of the person's runs; null: the journey has no key, or the event no value of it. */
      readonly key: string | null;
      readonly at: number;
      readonly triggerMessageId: string | null;
      readonly ruleVersion: number;
      /** null: nothing but the trigger. */
      readonly evidence: EntryEvidence | null;
    }
  | {
      /** A trigger of a running journey that led to no entry. */
      readonly type: 'journey_skipped';
      readonly journeyId: string;
      readonly key: string | null;
      readonly at: number;
      readonly reason: SkipReason;
      readonly triggerMessageId: string | null;
      readonly ruleVersion: number;
      readonly detail: JsonObject | null;
    }
  | {
      /** Eligible, and left out for comparison; said once for a person and a journey. */
      readonly type: 'held_out';
      readonly journeyId: string;
      readonly at: number;
      readonly triggerMessageId: string | null;
    }
  | {
      /** A trigger waits for an identify, in the person's own store. */
      readonly type: 'trigger_held';
      readonly range: number;
      readonly place: number;
      readonly trigger: HeldTrigger;
    }
  | {
      /** Those at [from, to) of a range wait no longer. */
      readonly type: 'triggers_let_go';
      readonly range: number;
      readonly from: number;
      readonly to: number;
    }
  | {
      /** The person belongs to the object, or does no more: for whoever looks for those who do. */
      readonly type: 'object_linked' | 'object_unlinked';
      readonly object: ObjectKey;
    }
  | {
      readonly type: 'profile_changed';
      readonly state: 'alive' | 'absorbed' | 'deleted';
      readonly absorbedInto: string | null;
      readonly at: number;
      readonly profile: Profile;
      readonly firstSeenAt: number;
    }
  | {
      /** A part of a call that the person has no room for: an activity and a row. The rest of the call counts. */
      readonly type: 'left_out';
      readonly what: 'attributes' | 'relationships' | 'rules';
      readonly names: readonly string[];
      readonly at: number;
      readonly messageId: string | null;
      readonly anonymousId: string | null;
    }
  | {
      readonly type: 'dropped';
      readonly reason:
        | 'person_deleted'
        | 'patterns_too_costly'
        | 'segment_unknown'
        | 'object_deleted'
        | 'merge_not_awaited'
        | 'timer_not_awaited';
      readonly at: number;
      /** Null, as the visitor, where a merge or a split had the person looked at. */
      readonly messageId: string | null;
      readonly anonymousId: string | null;
      /** JSON object. */
      readonly detail: string | null;
    };

/** What is kept and not told. */
export type Kept = Extract<
  Effect,
  { readonly type: 'trigger_held' | 'triggers_let_go' | 'object_linked' | 'object_unlinked' }
>;
/** What is told. */
export type Told = Exclude<Effect, Kept>;
