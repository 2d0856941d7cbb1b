/**
 * Hands outcomes on in the order of the call and waits until they are kept. A control call follows when everything before
 * it is on the log, so it covers that, and nothing behind it is sent before it is.
 */
import { randomInt } from 'node:crypto';
import type { Codecs } from '../../schemas/codec.ts';
import { controlMarker, controlMsMax } from '../../schemas/control-markers.ts';
import { laneKey, objectLaneKey } from '../../schemas/lanes.ts';
import { toWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { CodedError } from '../runtime/errors.ts';
import type { LogAdmin, Producer } from '../runtime/log/ports.ts';
import { PackedRecords } from './packed-records.ts';
import type { Intake } from './ports.ts';
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

type Control = Extract<Outcome, { readonly type: 'control' }>;
type Kept = Exclude<Outcome, Control>;

/** Numbers of control calls are random: two of one workspace at one time would have to be the same. */
const CONTROL_NUMBERS = 2 ** 48 - 1;

export function deliverTo(options: DeliveryOptions): Deliver {
  const { intake, producer, admin, codecs, monotonicMs = now, newNumber = randomNumber } = options;
  return (outcomes) => {
    if (outcomes.some(isControl)) return inOrder(outcomes);
    const packed = new PackedRecords();
    for (const outcome of outcomes) if (!isControl(outcome)) pack(packed, outcome);
    const records = packed.finish();
    // Without an await: who awaits keeps what they were given meanwhile, and with outcomes the whole request, which then
    // is copied by each collection of what is young.
    return records === undefined ? Promise.resolve() : intake.take(records);
  };

  async function inOrder(outcomes: readonly Outcome[]): Promise<void> {
    let packed = new PackedRecords();
    for (const outcome of outcomes) {
      if (!isControl(outcome)) {
        pack(packed, outcome);
        continue;
      }
      await takeAll(packed);
      packed = new PackedRecords();
      await intake.untilOnLog();
      await sendControl(outcome.request);
    }
    await takeAll(packed);
  }

  async function takeAll(packed: PackedRecords): Promise<void> {
    const records = packed.finish();
    if (records !== undefined) await intake.take(records);
  }

  function pack(packed: PackedRecords, outcome: Kept): void {
    if (outcome.type === 'dropped') {
      const { key, dropped: value } = outcome;
      const workspace = toWorkspace(value.workspace);
      packed.add({ topic: 'eventsDropped', workspace, key, codec: codecs.DroppedEvent, value });
      return;
    }
    const { event: value } = outcome;
    const workspace = toWorkspace(value.workspace);
    const key = keyOf(workspace, value);
    packed.add({ topic: 'eventsCollected', workspace, key, codec: codecs.CollectedEvent, value });
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

function isControl(outcome: Outcome): outcome is Control {
  return outcome.type === 'control';
}

function randomNumber(): number {
  return randomInt(1, CONTROL_NUMBERS);
}

function now(): number {
  return performance.now();
}

function keyOf(workspace: Workspace, event: CollectedEvent): string {
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
