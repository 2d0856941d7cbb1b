/**
 * The records of the Kafka Streams application (bench/kafka-streams-peer), as events of ours and back, byte for byte:
 * its JSON travels as `properties`, which nobody on the path parses.
 *
 * Value: u8 type (1 event, 2 identify) | i64 receivedAt | i64 timestamp | u8 n | userId (n bytes) | JSON, big-endian.
 * Key: the anonymous id. The JSON starts with {"messageId":"<16 hex digits>", the event's number in the workload.
 */
import { laneKey } from '../../schemas/lanes.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { assert } from '../../services/runtime/errors.ts';

export interface PeerRecord {
  readonly anonymousId: string;
  readonly isIdentify: boolean;
  readonly receivedAt: number;
  readonly timestamp: number;
  /** Null for an event. */
  readonly userId: string | null;
  /** As in the JSON: 16 hex digits, so that texts compare as numbers do. */
  readonly messageId: string;
  readonly json: string;
}

const EVENT = 1;
const IDENTIFY = 2;
const FIXED_BYTES = 18;
const MESSAGE_ID = /^\{"messageId":"([0-9a-f]{16})"/;
const WORKSPACE = 'peer' as Workspace;

export function readPeerRecord(key: Buffer, value: Buffer): PeerRecord {
  const userBytes = value.readUInt8(FIXED_BYTES - 1);
  const json = value.toString('utf8', FIXED_BYTES + userBytes);
  const messageId = MESSAGE_ID.exec(json)?.[1];
  assert(messageId !== undefined, 'a record of the peer starts with its message id');
  return {
    anonymousId: key.toString(),
    isIdentify: value.readUInt8(0) === IDENTIFY,
    receivedAt: Number(value.readBigInt64BE(1)),
    timestamp: Number(value.readBigInt64BE(9)),
    userId: userBytes === 0 ? null : value.toString('utf8', FIXED_BYTES, FIXED_BYTES + userBytes),
    messageId,
    json,
  };
}

export function laneOf(anonymousId: string): string {
  return laneKey(WORKSPACE, { anonymousId, identifier: null, messageId: '' });
}

export function asCollected(record: PeerRecord): CollectedEvent {
  const { userId } = record;
  return {
    received_at: record.receivedAt,
    type: record.isIdentify ? 'identify' : 'event',
    identifier_kind: userId === null ? 'none' : 'id',
    identifier: userId,
    anonymous_id: record.anonymousId,
    message_id: record.messageId,
    timestamp: record.timestamp,
    workspace: WORKSPACE,
    source: 'pipelines.track',
    name: record.isIdentify ? null : 'page_viewed',
    id: userId,
    email: null,
    cio_id: null,
    update_only: false,
    attributes_at: null,
    properties: record.json,
    context: null,
    bot: false,
    waits: true,
  };
}

/** The value that became this event. */
export function peerValueOf(event: CollectedEvent): Buffer {
  const user = Buffer.from(event.identifier ?? '');
  const json = Buffer.from(event.properties ?? '');
  const value = Buffer.allocUnsafe(FIXED_BYTES + user.length + json.length);
  value.writeUInt8(event.type === 'identify' ? IDENTIFY : EVENT, 0);
  value.writeBigInt64BE(BigInt(event.received_at), 1);
  value.writeBigInt64BE(BigInt(event.timestamp), 9);
  value.writeUInt8(user.length, FIXED_BYTES - 1);
  user.copy(value, FIXED_BYTES);
  json.copy(value, FIXED_BYTES + user.length);
  return value;
}
