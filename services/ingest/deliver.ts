/**
 * Hands outcomes on in the order of the call and waits until they are kept. A control call follows when everything before
 * it is on the log, so it covers that, and nothing behind it is sent before it is.
 */
import { randomInt } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import { controlMarker, controlMsMax } from '../../schemas/control-markers.ts';
import { laneKey, objectLaneKey } from '../../schemas/lanes.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { CodedError, unreachable } from '../runtime/errors.ts';
import type { LogAdmin, Producer } from '../runtime/log/ports.ts';
import type { Intake, TakenRecord } from './ports.ts';
import { objectIn } from './translate-object.ts';
import type { ControlRequest, Outcome } from './translation.ts';

export interface DeliveryOptions {
  readonly intake: Intake;
  /** Of control calls. */
  readonly producer: Pick<Producer, 'send'>;
  readonly admin: Pick<LogAdmin, 'partitionsOf' | 'endOffsets'>;
  readonly codecs: Pick<Codecs, 'CollectedEvent' | 'IdentityRequest' | 'DroppedEvent'>;
  /** ms that only grow. */
  readonly monotonicMs?: () => number;
  /** Of a control call. */
  readonly newNumber?: () => number;
}

/** Rejects with the first failure, after everything has ended: the caller may not answer while some is under way. */
export type Deliver = (outcomes: readonly Outcome[]) => Promise<void>;

/** Numbers of control calls are random: two of one workspace at one time would have to be the same. */
const CONTROL_NUMBERS = 2 ** 48 - 1;

export function deliverTo(options: DeliveryOptions): Deliver {
  const { intake, producer, admin, codecs, monotonicMs = now, newNumber = randomNumber } = options;
  return async (outcomes) => {
    let records: TakenRecord[] = [];
    for (const outcome of outcomes) {
      switch (outcome.type) {
        case 'event':
          records.push(recordOf(outcome.event));
          break;
        case 'dropped':
          records.push({
            topic: 'eventsDropped',
            workspace: toWorkspace(outcome.dropped.workspace),
            key: Buffer.from(outcome.key),
            value: codecs.DroppedEvent.encode(outcome.dropped),
          });
          break;
        case 'control':
          if (records.length > 0) await intake.take(records);
          records = [];
          await intake.untilOnLog();
          await sendControl(outcome.request);
          break;
        default:
          unreachable(outcome);
      }
    }
    if (records.length > 0) await intake.take(records);
  };

  function recordOf(event: CollectedEvent): TakenRecord {
    return {
      topic: 'eventsCollected',
      workspace: toWorkspace(event.workspace),
      key: Buffer.from(keyOf(event)),
      value: codecs.CollectedEvent.encode(event),
    };
  }

  /**
   * The markers first, so that the call knows where they lie. If this process dies in between, or the call is late,
   * nobody has been told that it was taken, and identity tells the lanes that it will not come.
   */
  async function sendControl(request: ControlRequest): Promise<void> {
    const beganMs = monotonicMs();
    const number = newNumber();
    const positions = await mark(request, number);
    const value = codecs.IdentityRequest.encode({ ...request, request_number: number, positions });
    await producer.send('identityRequests', Buffer.from(request.workspace), value);
    if (monotonicMs() - beganMs <= controlMsMax) return;
    throw new CodedError(
      'log_unavailable',
      `could not take a call in order: the broker took more than ${String(controlMsMax)} ms`,
      { hint: 'The call may have been taken all the same. Sending it again does no harm.' },
    );
  }

  /** Returns the positions: one past the marker in each partition. */
  async function mark(request: ControlRequest, number: number): Promise<number[]> {
    const marker = controlMarker(request, number);
    const [key, value] = [Buffer.from(request.workspace), codecs.CollectedEvent.encode(marker)];
    const partitions = await admin.partitionsOf('eventsCollected');
    const offsets = await settle(
      Array.from({ length: partitions }, (_, partition) =>
        producer.send('eventsCollected', key, value, partition),
      ),
    );
    if (!offsets.includes(-1)) return offsets.map((offset) => offset + 1);
    // The broker has a marker without saying where: before the present end, then, which only makes the call wait longer.
    const ends = await admin.endOffsets('eventsCollected');
    return offsets.map((offset, partition) => (offset < 0 ? (ends[partition] ?? 0) : offset + 1));
  }
}

function randomNumber(): number {
  return randomInt(1, CONTROL_NUMBERS);
}

function now(): number {
  return performance.now();
}

function keyOf(event: CollectedEvent): string {
  const workspace = toWorkspace(event.workspace);
  if (event.type === 'object') {
    const { typeId, objectId } = objectIn(event);
    return objectLaneKey(workspace, typeId, objectId);
  }
  const identifier =
    event.identifier_kind === 'none' || event.identifier === null
      ? null
      : { kind: event.identifier_kind, value: event.identifier };
  return laneKey(workspace, {
    anonymousId: event.anonymous_id,
    identifier,
    messageId: event.message_id,
  });
}

async function settle(sends: readonly Promise<number>[]): Promise<number[]> {
  const results = await Promise.allSettled(sends);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
