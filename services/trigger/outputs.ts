/** Effects as records of their topics. */
import { activity } from '../../schemas/activity.ts';
import type { Codecs } from '../../schemas/codec.ts';
import type { Reason } from '../../schemas/reasons.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import { unreachable } from '../runtime/errors.ts';
import type { Effect, Told } from './decide/effects.ts';
import { createdAtOf } from './decide/created-at.ts';
import { attributesOf } from './decide/profile.ts';
import { shown } from './decide/relationships.ts';

export interface Whose {
  readonly workspace: string;
  readonly personId: string;
  /** `workspace:person_id`. */
  readonly personKey: string;
}

export function whoseOf(personKey: string): Whose {
  const end = personKey.indexOf(':');
  return { workspace: personKey.slice(0, end), personId: personKey.slice(end + 1), personKey };
}

export function emitEffect(
  effect: Told,
  { workspace, personId, personKey }: Whose,
  codecs: Codecs,
  out: Emitter,
): void {
  switch (effect.type) {
    case 'segment_changed': {
      const { segmentId, change, at, cause, causeMessageId, ruleVersion } = effect;
      const value = codecs.SegmentChange.encode({
        workspace,
        segment_id: segmentId,
        person_id: personId,
        change,
        at,
        cause_message_id: causeMessageId,
        rule_version: ruleVersion,
        cause,
      });
      out.emit('segmentsChanged', personKey, value);
      return;
    }
    case 'journey_entered': {
      const value = codecs.JourneyEntry.encode({
        workspace,
        journey_id: effect.journeyId,
        person_id: personId,
        entered_at: effect.at,
        trigger_message_id: effect.triggerMessageId,
        rule_version: effect.ruleVersion,
        key: effect.key,
        evidence: effect.evidence === null ? null : JSON.stringify(effect.evidence),
      });
      out.emit('journeysEntered', personKey, value);
      return;
    }
    case 'journey_skipped':
      out.emit('journeysSkipped', personKey, encodeSkip(effect, { workspace, personId }, codecs));
      return;
    case 'held_out': {
      const line = activity({
        workspace,
        kind: 'Journey Holdout',
        person_id: personId,
        timestamp: effect.at,
        processed_at: effect.at,
        message_id: effect.triggerMessageId,
        detail: JSON.stringify({ journey_id: effect.journeyId }),
      });
      out.emit('activitiesLogged', personKey, codecs.Activity.encode(line));
      return;
    }
    case 'profile_changed':
      out.emit(
        'peopleChanged',
        `${personKey}:profile`,
        encodeProfile(effect, { workspace, personId }, codecs),
      );
      return;
    case 'left_out':
      emitLeftOut(effect, { workspace, personId, personKey }, codecs, out);
      return;
    case 'dropped':
      out.emit('eventsDropped', personKey, encodeDropped(effect, { workspace, personId }, codecs));
      return;
    default:
      unreachable(effect);
  }
}

function encodeSkip(
  effect: Extract<Effect, { readonly type: 'journey_skipped' }>,
  { workspace, personId }: Pick<Whose, 'workspace' | 'personId'>,
  codecs: Codecs,
): Buffer {
  return codecs.JourneySkip.encode({
    workspace,
    journey_id: effect.journeyId,
    person_id: personId,
    key: effect.key,
    at: effect.at,
    reason: effect.reason,
    trigger_message_id: effect.triggerMessageId,
    rule_version: effect.ruleVersion,
    detail: effect.detail === null ? null : JSON.stringify(effect.detail),
  });
}

function encodeDropped(
  effect: Omit<Extract<Effect, { readonly type: 'dropped' }>, 'type' | 'reason'> & {
    readonly reason: Reason;
  },
  { workspace, personId }: Pick<Whose, 'workspace' | 'personId'>,
  codecs: Codecs,
): Buffer {
  const row = droppedEvent({
    workspace,
    reason: effect.reason,
    stage: 'trigger',
    at: effect.at,
    message_id: effect.messageId,
    anonymous_id: effect.anonymousId,
    person_id: personId,
    detail: effect.detail,
  });
  return codecs.DroppedEvent.encode(row);
}

const namesTold = 10;
const nameCharsTold = 150;

function emitLeftOut(
  { what, names, at, messageId, anonymousId }: Extract<Effect, { readonly type: 'left_out' }>,
  { workspace, personId, personKey }: Whose,
  codecs: Codecs,
  out: Emitter,
): void {
  const told = names.slice(0, namesTold).map((name) => name.slice(0, nameCharsTold));
  const detail = { [what]: told, count: names.length };
  const reason = 'limit_exceeded';
  const line = activity({
    workspace,
    kind: 'Failed Update',
    person_id: personId,
    anonymous_id: anonymousId,
    timestamp: at,
    processed_at: at,
    message_id: messageId,
    detail: JSON.stringify({ reason, ...detail }),
  });
  out.emit('activitiesLogged', personKey, codecs.Activity.encode(line));
  const row = { reason, at, messageId, anonymousId, detail: JSON.stringify(detail) } as const;
  out.emit('eventsDropped', personKey, encodeDropped(row, { workspace, personId }, codecs));
}

function encodeProfile(
  effect: Extract<Effect, { readonly type: 'profile_changed' }>,
  { workspace, personId }: Pick<Whose, 'workspace' | 'personId'>,
  codecs: Codecs,
): Buffer {
  const { profile, firstSeenAt } = effect;
  const { relationships = [] } = profile;
  return codecs.PersonChange.encode({
    aspect: 'profile',
    workspace,
    person_id: personId,
    at: effect.at,
    version: profile.version,
    state: effect.state,
    absorbed_into: effect.absorbedInto,
    id: null, // who is whom is the other aspect's
    email: null,
    created_at: createdAtOf(profile.attributes),
    first_seen_at: Number.isFinite(firstSeenAt) ? firstSeenAt : null,
    attributes: effect.state === 'alive' ? JSON.stringify(attributesOf(profile)) : null,
    relationships: relationships.length === 0 ? null : JSON.stringify(relationships.map(shown)),
  });
}
