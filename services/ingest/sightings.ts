/** What a request came to, call by call, for whoever watches the door (services/runtime/sighting.ts). Pure. */
import type { Workspace } from '../../schemas/ids.ts';
import type { CollectedEvent, DroppedEvent } from '../../schemas/records.ts';
import type { Answered, Sighting } from '../runtime/sighting.ts';
import type { ControlRequest, Outcome, Refusal } from './translation.ts';

/** What is true of a whole request. */
export interface Answer {
  /** ms */
  readonly at: number;
  readonly workspace: Workspace | null;
  readonly key: string | null;
  readonly route: string;
  readonly status: number;
  /** Of an answer that is an error. */
  readonly fault: { readonly reason: string; readonly message: string } | undefined;
}

/** What the route has made of the request before it was answered. */
export interface Taken {
  readonly outcomes: readonly Outcome[];
  readonly refusals: readonly Refusal[];
}

const messageCharsMax = 300;
const nameCharsMax = 200;

export function sightings(answer: Answer, taken: Taken | undefined): readonly Sighting[] {
  const { status, fault } = answer;
  if (status >= 400) {
    const refusals = taken?.refusals ?? [];
    if (refusals.length > 0 && status < 429) return refusals.map((refusal) => ofRefusal(answer, refusal));
    const what = taken?.outcomes.find(({ type }) => type !== 'dropped');
    return [{ ...ofOutcome(answer, what), answered: answeredBy(status), ...reasonOf(fault) }];
  }
  const { outcomes = [], refusals = [] } = taken ?? {};
  const corrected = new Map(
    outcomes.flatMap((outcome) => {
      if (outcome.type !== 'dropped' || outcome.dropped.reason !== 'corrected') return [];
      return [[outcome.dropped.message_id, outcome.dropped] as const];
    }),
  );
  const seen = outcomes.flatMap((outcome) => {
    if (outcome.type === 'dropped') {
      return outcome.dropped.reason === 'corrected' ? [] : [ofDropped(answer, outcome.dropped)];
    }
    const row = corrected.get(
      outcome.type === 'event' ? outcome.event.message_id : outcome.request.message_id,
    );
    const one = ofOutcome(answer, outcome);
    return [row === undefined ? one : { ...one, answered: 'corrected' as const, ...correction(row) }];
  });
  // Part of a batch was taken; the refused parts have no rows.
  return status === 207 ? [...seen, ...refusals.map((refusal) => ofRefusal(answer, refusal))] : seen;
}

function answeredBy(status: number): Answered {
  if (status === 429) return 'limited';
  return status >= 500 ? 'retry' : 'dropped';
}

function reasonOf(fault: Answer['fault']): Pick<Sighting, 'reason' | 'message'> {
  return { reason: fault?.reason ?? 'unknown', message: cut(fault?.message ?? null, messageCharsMax) };
}

function ofRefusal(answer: Answer, { reason, message }: Refusal): Sighting {
  return {
    ...ofOutcome(answer, undefined),
    answered: 'dropped',
    reason,
    message: cut(message, messageCharsMax),
  };
}

function ofDropped(answer: Answer, row: DroppedEvent): Sighting {
  const detail = JSON.parse(row.detail ?? '{}') as { readonly message?: unknown }; // written by translation.ts
  const message = typeof detail.message === 'string' ? cut(detail.message, messageCharsMax) : null;
  return {
    ...ofOutcome(answer, undefined),
    answered: 'dropped',
    reason: row.reason,
    message,
    messageId: row.message_id,
    anonymousId: row.anonymous_id,
  };
}

function correction({ detail }: DroppedEvent): Pick<Sighting, 'reason' | 'message'> {
  const { corrections } = JSON.parse(detail ?? '{}') as {
    readonly corrections?: readonly { readonly field: string; readonly why: string }[];
  }; // written by corrections.ts
  const text = (corrections ?? []).map(({ field, why }) => `${field}: ${why}`).join(', ');
  return { reason: 'corrected', message: cut(text, messageCharsMax) };
}

function ofOutcome({ at, workspace, key, route, status }: Answer, outcome: Outcome | undefined): Sighting {
  const request = { at, workspace, key, route, status, answered: 'ok', reason: null, message: null } as const;
  if (outcome?.type === 'event') return { ...request, ...ofEvent(outcome.event) };
  if (outcome?.type === 'control') return { ...request, ...ofControl(outcome.request) };
  return { ...request, type: null, name: null, messageId: null, anonymousId: null, identifier: null };
}

type Call = Pick<Sighting, 'type' | 'name' | 'messageId' | 'anonymousId' | 'identifier'>;

function ofEvent(event: CollectedEvent): Call {
  return {
    type: event.type,
    name: cut(event.name, nameCharsMax),
    messageId: event.message_id,
    anonymousId: event.anonymous_id,
    identifier: event.identifier,
  };
}

function ofControl({
  kind,
  message_id: messageId,
  anonymous_id: anonymousId,
  identifier,
}: ControlRequest): Call {
  return { type: kind, name: null, messageId, anonymousId, identifier };
}

function cut(text: string | null, charsMax: number): string | null {
  return text === null || text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
}
