/** The records that lanes write. */
import { activity } from '../../../schemas/activity.ts';
import type { Codecs } from '../../../schemas/codec.ts';
import { droppedEvent } from '../../../schemas/dropped-event.ts';
import { identityRequest, watermarkRequest } from '../../../schemas/identity-request.ts';
import type { LaneKey, PersonId, Workspace } from '../../../schemas/ids.ts';
import { personKey } from '../../../schemas/lanes.ts';
import { mergedEvent } from '../../../schemas/merged-event.ts';
import type { Emitter } from '../../runtime/task/ports.ts';
import type { Fact, Outcome } from '../decide/effects.ts';
import type { EventInHand } from './event-in-hand.ts';
import type { Marker } from '../memory/markers.ts';
import { MergedBytes } from './merged-bytes.ts';

const STAGE = 'merger';
/** How far back of its receipt a line of an object may lie. */
const lineAgeMsMax = 366 * 86_400_000;

export class Outputs {
  readonly #codecs: Codecs;
  readonly #partition: number;
  readonly #merged: MergedBytes;
  /** The key of the last merged event, which is the next one's in a release: one text is told from itself at a glance. */
  #key = '';
  #keyWorkspace = '';
  #keyPerson = '';

  constructor(codecs: Codecs, partition: number) {
    this.#codecs = codecs;
    this.#partition = partition;
    this.#merged = new MergedBytes(codecs);
  }

  /** Returns the size of the value. */
  merged(out: Emitter, hand: EventInHand, effect: Omit<Outcome & { type: 'merged' }, 'type'>): number {
    const { workspace } = hand;
    const value = this.#merged.of(hand.routing, workspace, effect);
    out.emit('eventsMerged', this.#keyOf(workspace, effect.personId), value);
    return value.length;
  }

  asked(
    out: Emitter,
    hand: EventInHand,
    lane: LaneKey,
    { request, number }: Pick<Fact & { type: 'asked' }, 'request' | 'number'>,
  ): void {
    const { fields, identifier, workspace } = hand;
    const value = this.#codecs.IdentityRequest.encode(
      identityRequest({
        kind: request,
        workspace,
        received_at: hand.routing.receivedAt,
        lane,
        request_number: number,
        source_partition: this.#partition,
        source_offset: hand.offset,
        anonymous_id: request === 'resolve' ? null : hand.anonymousId,
        identifier_kind: identifier?.kind ?? 'none',
        identifier: identifier?.value ?? null,
        id: fields.id,
        email: fields.email,
        cio_id: fields.cioId,
        update_only: fields.updateOnly,
        message_id: hand.messageId,
      }),
    );
    out.emit('identityRequests', workspace, value);
  }

  /** The marker has been read: whatever this partition asks from here on is behind it. */
  markerRead(out: Emitter, { workspace, number, offset, receivedAt }: Marker): void {
    const value = this.#codecs.IdentityRequest.encode(
      identityRequest({
        kind: 'marker',
        workspace,
        received_at: receivedAt,
        request_number: number,
        source_partition: this.#partition,
        source_offset: offset,
      }),
    );
    out.emit('identityRequests', workspace, value);
  }

  /** As much of the workspace's records up to the marker is done as its call waits for: told at once. */
  markerPassed(out: Emitter, { workspace, offset, receivedAt }: Marker): void {
    const handled = { time: receivedAt, offset: offset + 1 };
    const request = { ...watermarkRequest(this.#partition, handled), workspace };
    const value = this.#codecs.IdentityRequest.encode(request);
    out.emit('identityRequests', workspace, value);
  }

  dropped(out: Emitter, hand: EventInHand, lane: LaneKey, reason: string): void {
    const identifier = hand.routing.named();
    // The place on events.collected lets anonymous_events leave out this record and no other of the same message id.
    const place = { lane, partition: this.#partition, offset: hand.offset };
    const detail = identifier === null ? place : { ...place, [identifier.kind]: identifier.value };
    const row = droppedEvent({
      workspace: hand.workspace,
      reason,
      stage: STAGE,
      at: hand.routing.receivedAt,
      message_id: hand.messageId,
      anonymous_id: hand.anonymousId,
      detail: JSON.stringify(detail),
    });
    out.emit('eventsDropped', lane, this.#codecs.DroppedEvent.encode(row));
  }

  /** To every partition, since people who belong to it lie in all of them. */
  object(out: Emitter, hand: EventInHand, partitions: number): void {
    const { workspace, routing } = hand;
    const { bytes, start, end, receivedAt: at } = routing;
    const event = this.#codecs.CollectedEvent.decode(bytes, start, end);
    const what = { kind: 'object', workspace, person_id: '', merged_at: at, event } as const;
    const value = this.#codecs.MergedEvent.encode(mergedEvent(what));
    for (let partition = 0; partition < partitions; partition += 1) {
      out.emitTo('eventsMerged', partition, `${workspace}:`, value);
    }
    const line = activity({
      workspace,
      kind: event.name ?? 'Object Created or Updated',
      timestamp: timeOfLine(event.timestamp, at),
      processed_at: at,
      message_id: event.message_id,
      detail: event.properties,
    });
    out.emit('activitiesLogged', `${workspace}:`, this.#codecs.Activity.encode(line));
  }

  /** Spec C.1 row 14. */
  mergeLogged(out: Emitter, hand: EventInHand, effect: Fact & { type: 'merge_logged' }): void {
    const { personId, count, oldest, at } = effect;
    const anonymousId = hand.anonymousId;
    const detail = { count, oldest: Math.floor(oldest / 1000), anonymous_id: anonymousId };
    const line = activity({
      workspace: hand.workspace,
      kind: 'Anonymous Data Merged',
      person_id: personId,
      anonymous_id: anonymousId,
      timestamp: at,
      processed_at: at,
      message_id: hand.messageId,
      detail: JSON.stringify(detail),
    });
    const value = this.#codecs.Activity.encode(line);
    out.emit('activitiesLogged', this.#keyOf(hand.workspace, personId), value);
  }

  #keyOf(workspace: Workspace, personId: PersonId): string {
    if (workspace !== this.#keyWorkspace || personId !== this.#keyPerson) {
      this.#key = personKey(workspace, personId);
      this.#keyWorkspace = workspace;
      this.#keyPerson = personId;
    }
    return this.#key;
  }
}

/**
 * ClickHouse keeps activities by months of their time. A call may say any time of four centuries, and an insert that has
 * a row of each of their months makes a part of each, which takes it a minute, for everybody.
 */
function timeOfLine(timestamp: number, receivedAt: number): number {
  return timestamp > receivedAt || timestamp <= receivedAt - lineAgeMsMax ? receivedAt : timestamp;
}
