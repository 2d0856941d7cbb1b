/**
 * What was taken otherwise than it was sent. A translator notes each as it reads; the call's outcomes end with one row of
 * `dropped` that says all of them, with the reason `corrected`. What strict mode would refuse instead rides along. Pure.
 */
import { toUSVString } from 'node:util';
import type { CorrectionCode } from '../../schemas/correction-codes.ts';
import type { SentObject } from './json-text.ts';
import {
  droppedOutcome,
  isRefusal,
  type CallContext,
  type Outcome,
  type Refusal,
  type Translation,
} from './translation.ts';

export interface Correction {
  /** Member of the call, `traits.email`. */
  readonly field: string;
  readonly sent: unknown;
  /** What is kept in its place; null: nothing, the part is left out. */
  readonly kept: string | number | null;
  readonly why: CorrectionCode;
}

/** A call while it is translated. */
export interface NotedCall extends CallContext {
  readonly corrections: Correction[];
  /** What strict mode answers 400 for, although permissive mode takes the rest. */
  readonly strictFaults: Refusal[];
}

/** Calls that are translated one after the other: the lists of each are taken off before the next, and are made once. */
export function notedInTurn<Call extends CallContext>(call: Call): Call & NotedCall {
  return { ...call, corrections: [], strictFaults: [] };
}

/** Of each; more are counted and not told. */
const correctionsMax = 20;
const sentCharsMax = 200;

/** @param sent the call as far as it is kept as text. */
export function noted<Call extends CallContext>(
  call: Call,
  sent: SentObject,
  translate: (call: Call & NotedCall) => Translation,
): Translation {
  const noting = isNoting(call) ? call : notedInTurn(call);
  if (sent.hasHalves) {
    noting.corrections.push({
      field: '',
      sent: 'half of a surrogate pair',
      kept: '\ufffd',
      why: 'not_unicode',
    });
  }
  const translation = translate(noting);
  if (noting.corrections.length === 0 && noting.strictFaults.length === 0) return translation;
  const [corrections, strictFaults] = [noting.corrections.splice(0), noting.strictFaults.splice(0)];
  if (isRefusal(translation) || corrections.length === 0) return translation;
  const outcomes = [...translation.outcomes, row(call, translation.outcomes, corrections)];
  return strictFaults.length === 0
    ? { type: 'accepted', outcomes }
    : { type: 'accepted', outcomes, strictFaults };
}

function isNoting<Call extends CallContext>(call: Call): call is Call & NotedCall {
  return 'corrections' in call;
}

function row(call: CallContext, outcomes: readonly Outcome[], all: readonly Correction[]): Outcome {
  const told = all.slice(0, correctionsMax).map((each) => ({ ...each, sent: shortened(each.sent) }));
  const more = all.length - told.length;
  return droppedOutcome(call, {
    reason: 'corrected',
    ...subjectOf(outcomes),
    detail: { corrections: told, ...(more > 0 && { more }) },
  });
}

/** The record that the correction is about, which its row must be found with. */
function subjectOf(outcomes: readonly Outcome[]) {
  for (const outcome of outcomes) {
    switch (outcome.type) {
      case 'event':
        return { messageId: outcome.event.message_id, anonymousId: outcome.event.anonymous_id };
      case 'control':
        return { messageId: outcome.request.message_id, anonymousId: null };
      case 'dropped':
        return { messageId: outcome.dropped.message_id, anonymousId: outcome.dropped.anonymous_id };
    }
  }
  return { messageId: null, anonymousId: null };
}

function shortened(sent: unknown): unknown {
  if (typeof sent === 'number' || typeof sent === 'boolean' || sent === null) return sent;
  if (sent === undefined) return null;
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  return toUSVString(text.length > sentCharsMax ? `${text.slice(0, sentCharsMax)}…` : text);
}
