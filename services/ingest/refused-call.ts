/** What a refused call was, as far as it can be read, so that its row and whoever watches the door can tell which one it was. Pure. */
import { ownText } from '../../schemas/own-text.ts';
import type { SentObject } from './json-text.ts';
import { sentMessageId } from './message-id.ts';
import { nameIn } from './names.ts';
import {
  droppedOutcome,
  type About,
  type CallContext,
  type Outcome,
  type Refusal,
  type Translation,
} from './translation.ts';
import { nameFault } from './validate.ts';

const nameCharsMax = 200;

/**
 * @param sent a call of Pipelines or an operation of Track; undefined: it could not be read.
 * @param known what is known of it besides, by its route.
 */
export function aboutCall(
  sent: SentObject | undefined,
  known: { readonly type?: string | undefined; readonly identifier?: string | undefined } = {},
): About {
  const value = sent?.value ?? {};
  const among = sent?.object('identifiers')?.value ?? {};
  const traits = sent?.object('traits')?.value ?? {};
  return {
    type: textOf(known.type ?? value['action'] ?? value['type']),
    name: textOf(value['event'] ?? value['name']),
    messageId: textOf(value['messageId']),
    anonymousId: firstText(value['anonymousId'], value['anonymous_id'], among['anonymous_id']),
    identifier: firstText(
      known.identifier,
      value['userId'],
      among['id'],
      among['email'],
      among['cio_id'],
      among['phone'],
      traits['email'],
    ),
  };
}

/** Of a call in a batch. */
export function inBatch(refusal: Refusal, batchIndex: number): Refusal {
  return { ...refusal, batchIndex };
}

/** Of Track, where one call or operation is one translation. */
export function withAbout(
  translation: Translation,
  sent: SentObject | undefined,
  known?: Parameters<typeof aboutCall>[1],
): Translation {
  return translation.type === 'accepted' ? translation : { ...translation, about: aboutCall(sent, known) };
}

/** As it is told where nothing else says which call of a batch it is about. */
export function toldMessage({ batchIndex, message }: Refusal): string {
  return batchIndex === undefined ? message : `batch[${String(batchIndex)}]: ${message}`;
}

/** The row of a call that permissive mode answers 200 for. */
export function refusedRow(call: CallContext, body: SentObject | undefined, refusal: Refusal): Outcome {
  const noting = { ...call, corrections: [], strictFaults: [] };
  const visitor = body === undefined ? null : nameIn(noting, body, 'anonymousId');
  const anonymousId = visitor === null || nameFault('anonymousId', visitor) !== undefined ? null : visitor;
  const { type, name, identifier } = refusal.about ?? aboutCall(body);
  const { message, field, batchIndex } = refusal;
  return droppedOutcome(call, {
    reason: refusal.reason,
    messageId: (body && sentMessageId(body, 'messageId')) ?? null,
    anonymousId,
    detail: {
      message,
      field,
      ...(type !== null && { type }),
      ...(name !== null && { name }),
      ...(identifier !== null && { identifier }),
      ...(batchIndex !== undefined && { batch_index: batchIndex }),
    },
  });
}

function firstText(...values: readonly unknown[]): string | null {
  for (const value of values) {
    const text = textOf(value);
    if (text !== null) return text;
  }
  return null;
}

/** A copy, since a part of a text holds the whole of it. */
function textOf(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value.trim() === '') return null;
  return value.length > nameCharsMax ? ownText(`${value.slice(0, nameCharsMax)}…`) : ownText(value);
}
