/** What a request came to, call by call, for whoever watches the door (services/runtime/sighting.ts). Pure. */
import type { Workspace } from '../../schemas/ids.ts';
import { correctionCodes } from '../../schemas/correction-codes.ts';
import { ownText } from '../../schemas/own-text.ts';
import type { CollectedEvent, DroppedEvent } from '../../schemas/records.ts';
import type { Answered, Sighting } from '../runtime/sighting.ts';
import type { Correction } from './corrections.ts';
import { toldMessage } from './refused-call.ts';
import type { Outcome, Refusal } from './translation.ts';

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
  const { outcomes = [], refusals = [] } = taken ?? {};
  const { status } = answer;
  if (status >= 400) return ofFailure(answer, refusals, ofFirst(answer, outcomes));
  let corrected: Map<string | null, DroppedEvent> | undefined;
  for (const outcome of outcomes) {
    if (outcome.type !== 'dropped' || outcome.dropped.reason !== 'corrected') continue;
    corrected ??= new Map();
    corrected.set(outcome.dropped.message_id, outcome.dropped);
  }
  const seen: Sighting[] = [];
  for (const outcome of outcomes) {
    if (outcome.type === 'dropped') {
      if (outcome.dropped.reason !== 'corrected') seen.push(ofDropped(answer, outcome.dropped));
      continue;
    }
    const one = ofOutcome(answer, outcome);
    const row = corrected?.get(one.messageId);
    seen.push(row === undefined ? one : { ...one, answered: 'corrected', ...correction(row) });
  }
  // Part of a batch was taken; the refused parts have no rows.
  return status === 207 ? [...seen, ...refusals.map((refusal) => ofRefusal(answer, refusal))] : seen;
}

/**
 * What will be told of a request, made while its parts are at hand: they are not kept for that while it waits. @param answer
 * as it will be if all is kept.
 */
export function foreseen(answer: Answer, taken: Taken): (answer: Answer) => readonly Sighting[] {
  const seen = sightings(answer, taken);
  const first = ofFirst(answer, taken.outcomes);
  const { refusals } = taken;
  return (actual) => (actual.status === answer.status ? seen : ofFailure(actual, refusals, first));
}

function ofFirst(answer: Answer, outcomes: readonly Outcome[]): Sighting {
  return ofOutcome(
    answer,
    outcomes.find(({ type }) => type !== 'dropped'),
  );
}

/** @param first what the request was, as far as it could be read. */
function ofFailure(answer: Answer, refusals: readonly Refusal[], first: Sighting): readonly Sighting[] {
  const { at, status, fault } = answer;
  if (refusals.length > 0 && status < 429) return refusals.map((refusal) => ofRefusal(answer, refusal));
  return [{ ...first, at, status, answered: answeredBy(status), ...reasonOf(fault) }];
}

function answeredBy(status: number): Answered {
  if (status === 429) return 'limited';
  return status >= 500 ? 'retry' : 'dropped';
}

function reasonOf(fault: Answer['fault']): Pick<Sighting, 'reason' | 'message'> {
  return { reason: fault?.reason ?? 'unknown', message: cut(fault?.message ?? null, messageCharsMax) };
}

function ofRefusal(answer: Answer, refusal: Refusal): Sighting {
  return {
    ...ofOutcome(answer, undefined),
    ...refusal.about,
    answered: 'dropped',
    reason: refusal.reason,
    message: cut(toldMessage(refusal), messageCharsMax),
  };
}

function ofDropped(answer: Answer, row: DroppedEvent): Sighting {
  const {
    message,
    type,
    name,
    identifier,
    batch_index: batchIndex,
  } = JSON.parse(row.detail ?? '{}') as Detail;
  const at = batchIndex === undefined ? '' : `batch[${String(batchIndex)}]: `;
  return {
    ...ofOutcome(answer, undefined),
    answered: 'dropped',
    reason: row.reason,
    message: message === undefined ? null : cut(`${at}${message}`, messageCharsMax),
    type: type ?? null,
    name: name ?? null,
    messageId: row.message_id,
    anonymousId: row.anonymous_id,
    identifier: identifier ?? null,
  };
}

/** Of a row, as refused-call.ts and others write it. */
interface Detail {
  readonly message?: string;
  readonly type?: string;
  readonly name?: string;
  readonly identifier?: string;
  readonly batch_index?: number;
}

function correction({ detail }: DroppedEvent): Pick<Sighting, 'reason' | 'message'> {
  const { corrections } = JSON.parse(detail ?? '{}') as {
    readonly corrections?: readonly Pick<Correction, 'field' | 'why'>[];
  }; // written by corrections.ts
  const all = corrections ?? [];
  const codes = [...new Set(all.map(({ why }) => why))];
  const list = all.map(({ field, why }) => `${field}: ${why}`).join(', ');
  const texts = codes.map((why) => `${codes.length > 1 ? `${why}: ` : ''}${correctionCodes[why]}`);
  return { reason: 'corrected', message: cut([`${list}.`, ...texts].join(' '), messageCharsMax) };
}

/** Written out, since there is one for each event: a spread of parts costs many times as much. */
function ofOutcome(answer: Answer, outcome: Outcome | undefined): Sighting {
  const event = outcome?.type === 'event' ? outcome.event : undefined;
  const request = outcome?.type === 'control' ? outcome.request : undefined;
  const { at, workspace, key, route, status } = answer;
  return {
    at,
    workspace,
    key,
    route,
    status,
    answered: 'ok',
    reason: null,
    message: event === undefined ? null : noteOf(event),
    type: event?.type ?? request?.kind ?? null,
    name: cut(event?.name ?? null, nameCharsMax),
    messageId: event?.message_id ?? request?.message_id ?? null,
    anonymousId: event?.anonymous_id ?? request?.anonymous_id ?? null,
    identifier: event?.identifier ?? request?.identifier ?? null,
  };
}

/** Nothing is wrong with it, and yet it may not be what was meant; null: nothing to say. */
function noteOf({ anonymous_id: visitor, identifier, identifier_kind: kind, source }: CollectedEvent) {
  if (identifier === null) return visitor === null && source === BY_NOBODY ? NOBODYS : null;
  return kind === 'id' && identifier.includes('@') ? NO_EMAIL : null;
}
const BY_NOBODY = 'track.v1.anonymous_event';
const NOBODYS = 'it has no anonymous_id and names nobody: it is an invite, or can never be anybody’s';
const NO_EMAIL = 'an id: it has an @ and is no email address';

function cut(text: string | null, charsMax: number): string | null {
  return text === null || text.length <= charsMax ? text : ownText(`${text.slice(0, charsMax)}…`);
}
