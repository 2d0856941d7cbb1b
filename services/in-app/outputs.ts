/** What was decided, as records of their topics. */
import type { Codecs } from '../../schemas/codec.ts';
import { droppedEvent } from '../../schemas/dropped-event.ts';
import type { InAppRequest } from '../../schemas/records.ts';
import type { Emitter } from '../runtime/task/ports.ts';
import type { Answer } from './decide/decide-call.ts';
import type { Happened } from './decide/effects.ts';
import type { PersonExposure } from './decide/person.ts';

export interface Whose {
  readonly workspace: string;
  readonly anonymousId: string;
  readonly personId: string | null;
  /** Of the record: the lane or the person's. */
  readonly key: string;
}

export class Outputs {
  readonly #codecs: Codecs;

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
  }

  happened(happened: readonly Happened[], whose: Whose, out: Emitter): void {
    const { workspace, anonymousId, personId, key } = whose;
    for (const one of happened) {
      const value = this.#codecs.MessageEvent.encode({
        workspace,
        message_id: one.messageId,
        version: one.version,
        variant: one.variant,
        anonymous_id: anonymousId,
        person_id: personId,
        event: one.event,
        reason: one.reason ?? null,
        action: one.action ?? null,
        at: one.at,
        exposure: one.exposure ?? null,
        cause_message_id: one.causeMessageId ?? null,
        value: one.value ?? null,
        currency: one.currency ?? null,
      });
      out.emit('messagesLogged', key, value);
    }
  }

  answer(request: InAppRequest, answer: Answer, key: string, out: Emitter): void {
    const { workspace, request_id: requestId, at } = request;
    const value = this.#codecs.InAppAnswer.encode({ workspace, request_id: requestId, at, ...answer });
    out.emit('inAppAnswers', key, value);
  }

  exposure(personId: string, workspace: string, exposure: PersonExposure, out: Emitter): void {
    const value = this.#codecs.InAppTransfer.encode({
      kind: 'exposure',
      workspace,
      person_id: personId,
      anonymous_id: exposure.anonymousId,
      at: exposure.at,
      message_id: exposure.messageId,
      variant: exposure.variant,
      version: exposure.version,
      held_out: exposure.isHeldOut,
      clicked: exposure.hasClicked,
    });
    out.emit('inAppTransfers', `${workspace}:${personId}`, value);
  }

  dropped(
    reason: 'limit_exceeded' | 'patterns_too_costly',
    whose: Whose,
    of: { readonly messageId: string; readonly at: number; readonly detail: object },
    out: Emitter,
  ): void {
    const row = droppedEvent({
      workspace: whose.workspace,
      reason,
      stage: 'in-app',
      at: of.at,
      message_id: of.messageId,
      anonymous_id: whose.anonymousId,
      detail: JSON.stringify(of.detail),
    });
    out.emit('eventsDropped', whose.key, this.#codecs.DroppedEvent.encode(row));
  }
}
