/** What the broker's error codes mean to us, as coded errors. */
import type { ErrorCode } from '../../../../schemas/errors.ts';
import { CodedError } from '../../errors.ts';
import { kafkajsErrorNames, type KafkajsError } from './kafkajs.ts';

/** An error of the log that the broker named. */
export class KafkaError extends CodedError {
  /** The broker's error code; 0 when it was the connection. */
  readonly kafkaCode: number;
  constructor(
    code: ErrorCode,
    message: string,
    options: { kafkaCode: number; hint?: string; cause?: unknown },
  ) {
    super(code, message, options);
    this.kafkaCode = options.kafkaCode;
  }
}

export const NONE = 0;
/** UNKNOWN_SERVER_ERROR: something that the broker did not expect of itself. */
export const SERVER_FAULT = -1;
export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const LEADER_NOT_AVAILABLE = 5;
export const TOPIC_ALREADY_EXISTS = 36;
export const OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
export const DUPLICATE_SEQUENCE_NUMBER = 46;
export const INVALID_PRODUCER_EPOCH = 47;
export const CONCURRENT_TRANSACTIONS = 51;
export const UNKNOWN_PRODUCER_ID = 59;
export const UNSTABLE_OFFSET_COMMIT = 88;

/** kafkajs 2.2.4 knows codes up to 88; all later ones are "-99" to it. From Kafka 4.1's Errors.java. */
const NAMES_ABOVE_88: readonly string[] = [
  'THROTTLING_QUOTA_EXCEEDED',
  'PRODUCER_FENCED',
  'RESOURCE_NOT_FOUND',
  'DUPLICATE_RESOURCE',
  'UNACCEPTABLE_CREDENTIAL',
  'INCONSISTENT_VOTER_SET',
  'INVALID_UPDATE_VERSION',
  'FEATURE_UPDATE_FAILED',
  'PRINCIPAL_DESERIALIZATION_FAILURE',
  'SNAPSHOT_NOT_FOUND',
  'POSITION_OUT_OF_RANGE',
  'UNKNOWN_TOPIC_ID',
  'DUPLICATE_BROKER_REGISTRATION',
  'BROKER_ID_NOT_REGISTERED',
  'INCONSISTENT_TOPIC_ID',
  'INCONSISTENT_CLUSTER_ID',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'FETCH_SESSION_TOPIC_ID_ERROR',
  'INELIGIBLE_REPLICA',
  'NEW_LEADER_ELECTED',
  'OFFSET_MOVED_TO_TIERED_STORAGE',
  'FENCED_MEMBER_EPOCH',
  'UNRELEASED_INSTANCE_ID',
  'UNSUPPORTED_ASSIGNOR',
  'STALE_MEMBER_EPOCH',
  'MISMATCHED_ENDPOINT_TYPE',
  'UNSUPPORTED_ENDPOINT_TYPE',
  'UNKNOWN_CONTROLLER_ID',
  'UNKNOWN_SUBSCRIPTION_ID',
  'TELEMETRY_TOO_LARGE',
  'INVALID_REGISTRATION',
  'TRANSACTION_ABORTABLE',
];

export function kafkaErrorName(code: number): string {
  return kafkajsErrorNames.get(code) ?? NAMES_ABOVE_88[code - 89] ?? `error ${String(code)}`;
}

/** The leader has moved, is moving or is not ready: ask for metadata and try again. */
const LEADER_CODES = new Set([3, 5, 6, 7, 8, 9, 13, 19, 20, 56, 72, 74, 75, 100, 103]);
/**
 * A fault of the broker's own (-1), bytes that were damaged on the way (2), too much at once (89): asked again, they
 * mostly pass. Every question of ours can be asked again: producers have sequences, coordinators know what they did.
 */
const PASSING_CODES = new Set([SERVER_FAULT, 2, 89]);
/** The coordinator has moved or is loading: look it up again. */
const COORDINATOR_CODES = new Set([7, 13, 14, 15, 16]);
/** The producer is fenced, forgotten, or its transaction has ended without it. To the holder all mean the same. */
const DEAD_PRODUCER_CODES = new Set([45, 46, 47, 48, 49, 52, 59, 90, 105, 120]);

export function isLeaderError(code: number): boolean {
  return LEADER_CODES.has(code);
}
export function isCoordinatorError(code: number): boolean {
  return COORDINATOR_CODES.has(code);
}

/** @param what completes "could not …". */
export function kafkaError(what: string, code: number): KafkaError {
  const name = kafkaErrorName(code);
  const message = `could not ${what}: ${name}`;
  const kafkaCode = code;
  if (DEAD_PRODUCER_CODES.has(code)) {
    const hint =
      'Another owner has taken over this transactional id, or the transaction was open too long. Discard the producer and everything uncommitted, and start again from the last commit.';
    return new KafkaError('producer_dead', message, { kafkaCode, hint });
  }
  if (code === OFFSET_OUT_OF_RANGE) return new KafkaError('offset_out_of_range', message, { kafkaCode });
  const passes = isLeaderError(code) || isCoordinatorError(code) || PASSING_CODES.has(code);
  if (passes || code === CONCURRENT_TRANSACTIONS)
    return new KafkaError('log_unavailable', message, { kafkaCode });
  if (code === 29 || code === 30 || code === 31 || code === 53)
    return new KafkaError('log_not_authorized', message, { kafkaCode });
  if (code === 10 || code === 18) return new KafkaError('record_too_large', message, { kafkaCode });
  return new KafkaError('log_refused', message, { kafkaCode });
}

/** Any failure of a request as a coded error. What is not an error of the log (a bug) passes unchanged. */
export function asLogError(what: string, error: unknown): unknown {
  if (error instanceof CodedError || !(error instanceof Error)) return error;
  const { name, code, type } = error as KafkajsError; // kafkajs's errors are told by their names
  if (!name.startsWith('KafkaJS')) return isSocketError(error) ? unavailable(what, error) : error;
  if (type !== undefined && typeof code === 'number' && code > 0) return kafkaError(what, code);
  return unavailable(what, error);
}

function isSocketError(error: Error): boolean {
  return 'syscall' in error;
}

function unavailable(what: string, cause: Error): KafkaError {
  return new KafkaError('log_unavailable', `could not ${what}: ${cause.message}`, {
    kafkaCode: NONE,
    cause,
    hint: 'Is a broker reachable at KAFKA_BROKERS?',
  });
}
