/** What deciding about a person leads to. outputs.ts writes them to their topics. */
import type { SkipReason } from '../../../schemas/skip-reasons.ts';
import type { JsonObject } from '../../rules/paths.ts';
import type { Profile } from './profile.ts';

export type Effect =
  | {
      readonly type: 'segment_changed';
      readonly segmentId: string;
      readonly change: 'entered' | 'left';
      readonly at: number;
      /** null: time, a new definition or a merge caused it. */
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
      readonly reason: 'person_deleted' | 'patterns_too_costly';
      readonly at: number;
      /** Null, as the visitor, where a merge or a split had the person looked at. */
      readonly messageId: string | null;
      readonly anonymousId: string | null;
      /** JSON object. */
      readonly detail: string | null;
    };
