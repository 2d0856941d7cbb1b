/**
 * An identify that names nobody: what a visitor says of themselves waits in their lane as events do, and fills what the
 * person has not set when somebody claims it (spec C.1 row 18). Pure.
 */
import type { SentObject } from './json-text.ts';
import { droppedOutcome, eventOutcome, type CallContext, type Outcome } from './translation.ts';

export interface VisitorSaid {
  /** Within the limits of attributes. */
  readonly traits: SentObject;
  readonly messageId: string;
  /** ms */
  readonly timestamp: number | undefined;
  readonly context: string | null;
}

/** A row where there is nobody who could claim it, or nothing to keep. */
export function visitorTraits(
  call: CallContext,
  anonymousId: string | null,
  { traits, messageId, timestamp, context }: VisitorSaid,
): Outcome {
  if (anonymousId === null || Object.keys(traits.value).length === 0) {
    const reason = 'identify_without_identifier';
    return droppedOutcome(call, { reason, messageId, anonymousId, detail: { traits: traits.value } });
  }
  const said = {
    type: 'traits',
    identifier: null,
    anonymousId,
    name: null,
    properties: traits.text,
  } as const;
  return eventOutcome(call, { ...said, messageId, timestamp, context });
}
