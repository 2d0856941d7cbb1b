/**
 * Sends outcomes in the order of the call and waits for the broker. A control call takes its positions when everything
 * before it is acknowledged, so it covers that, and nothing behind it is sent before it.
 */
import type { Codecs } from '../../schemas/codec.ts';
import { laneKey } from '../../schemas/lanes.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { unreachable } from '../runtime/errors.ts';
import type { LogAdmin, Producer } from '../runtime/log/ports.ts';
import type { ControlRequest, Outcome } from './translation.ts';

export interface DeliveryOptions {
  readonly producer: Pick<Producer, 'send'>;
  readonly admin: Pick<LogAdmin, 'endOffsets'>;
  readonly codecs: Pick<Codecs, 'CollectedEvent' | 'IdentityRequest' | 'DroppedEvent'>;
}

/** Rejects with the first failure, after every send has ended: the caller may not answer while some are under way. */
export type Deliver = (outcomes: readonly Outcome[]) => Promise<void>;

export function deliverTo({ producer, admin, codecs }: DeliveryOptions): Deliver {
  return async (outcomes) => {
    let sends: Promise<void>[] = [];
    for (const outcome of outcomes) {
      switch (outcome.type) {
        case 'event':
          sends.push(sendEvent(outcome.event));
          break;
        case 'dropped':
          sends.push(
            producer.send(
              'eventsDropped',
              Buffer.from(outcome.key),
              codecs.DroppedEvent.encode(outcome.dropped),
            ),
          );
          break;
        case 'control':
          await settle(sends);
          sends = [];
          await sendControl(outcome.request);
          break;
        default:
          unreachable(outcome);
      }
    }
    await settle(sends);
  };

  function sendEvent(event: CollectedEvent): Promise<void> {
    return producer.send('eventsCollected', Buffer.from(keyOf(event)), codecs.CollectedEvent.encode(event));
  }

  async function sendControl(request: ControlRequest): Promise<void> {
    const positions = await admin.endOffsets('eventsCollected');
    const value = codecs.IdentityRequest.encode({ ...request, positions });
    await producer.send('identityRequests', Buffer.from(request.workspace), value);
  }
}

function keyOf(event: CollectedEvent): string {
  const identifier =
    event.identifier_kind === 'none' || event.identifier === null
      ? null
      : { kind: event.identifier_kind, value: event.identifier };
  return laneKey(toWorkspace(event.workspace), {
    anonymousId: event.anonymous_id,
    identifier,
    messageId: event.message_id,
  });
}

async function settle(sends: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(sends);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
