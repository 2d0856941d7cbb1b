/** Calls as the translators get them, for tests. */
import { toWorkspace } from '../../schemas/ids.ts';
import type { CollectedEvent, DroppedEvent } from '../../schemas/records.ts';
import { readJson, type SentObject } from '../ingest/json-text.ts';
import type { CallContext, ControlRequest, Refusal, Translation } from '../ingest/translation.ts';

export const receivedAt = Date.UTC(2026, 10, 22, 12);

export const call: CallContext = {
  workspace: toWorkspace('shop'),
  receivedAt,
  source: 'test',
  mintMessageId: () => 'minted',
};

/** A body as a value, or as the client's own text. */
export function sent(body: object | string): SentObject {
  const read = readJson(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));
  if (read.type === 'malformed') throw new Error(read.message);
  return read.sent;
}

export function eventOf(translation: Translation): CollectedEvent {
  const [outcome] = outcomesOf(translation);
  if (outcome?.type !== 'event') throw new Error(`no event: ${JSON.stringify(translation)}`);
  return outcome.event;
}

export function controlOf(translation: Translation, index = 0): ControlRequest {
  const outcome = outcomesOf(translation)[index];
  if (outcome?.type !== 'control') throw new Error(`no control call: ${JSON.stringify(translation)}`);
  return outcome.request;
}

/** What was taken otherwise than sent: `field: why`, in the order of the call. */
export function correctionsOf(translation: Translation): string[] {
  return outcomesOf(translation).flatMap((outcome) => {
    if (outcome.type !== 'dropped' || outcome.dropped.reason !== 'corrected') return [];
    const { corrections } = JSON.parse(outcome.dropped.detail ?? '{}') as Detail;
    return corrections.map(({ field, why }) => `${field}: ${why}`);
  });
}

interface Detail {
  readonly corrections: readonly { readonly field: string; readonly why: string }[];
}

/** What strict mode answers 400 for, where permissive mode takes the rest. */
export function strictFaultsOf(translation: Translation): readonly Refusal[] {
  return translation.type === 'refused' ? [translation] : (translation.strictFaults ?? []);
}

export function droppedOf(translation: Translation): DroppedEvent {
  const [outcome] = outcomesOf(translation);
  if (outcome?.type !== 'dropped') throw new Error(`nothing dropped: ${JSON.stringify(translation)}`);
  return outcome.dropped;
}

export function refusalOf(translation: Translation): Refusal {
  if (translation.type !== 'refused') throw new Error(`not refused: ${JSON.stringify(translation)}`);
  return translation;
}

function outcomesOf(translation: Translation) {
  if (translation.type === 'refused') throw new Error(`refused: ${translation.message}`);
  return translation.outcomes;
}
