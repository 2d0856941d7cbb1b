/**
 * The log as the rest of the product sees it. Implemented over kafkajs's connections in this folder (the only
 * importer of kafkajs) and in memory by services/testing.
 */
import type { TopicId } from '../../../schemas/topics.ts';
import type { CodedError } from '../errors.ts';

/**
 * A stretch of one partition, as bytes: the record batches that one fetch brought, less what was aborted. It may hold
 * no record at all (markers, aborted batches, what compaction emptied): then it only moves the position on.
 */
export interface RecordSlice {
  readonly topic: TopicId;
  readonly partition: number;
  /** First offset asked for; records of the first batch below it are to be skipped. */
  readonly from: number;
  /** Where to go on: one past the last offset in the slice, control and aborted batches included. */
  readonly next: number;
  readonly byteLength: number;
  /** Calls visit for each record in [from, to), in offset order. The record is one object, reused: copy what you keep. */
  forEach(visit: (record: InputRecord) => void, to?: number): void;
  /** The bytes may be reused after this. Outputs may point into them, so call it after the commit only. */
  release(): void;
}

/** One record, in place. */
export interface InputRecord {
  topic: TopicId;
  partition: number;
  offset: number;
  /** Broker's append time, ms. */
  appendedAt: number;
  bytes: Buffer;
  /** keyEnd = keyStart for an empty or absent key. */
  keyStart: number;
  keyEnd: number;
  valueStart: number;
  valueEnd: number;
}

export interface TopicPartition {
  readonly topic: TopicId;
  readonly partition: number;
}
export interface Position extends TopicPartition {
  readonly offset: number;
}

/** Reads partitions into a bounded buffer; a full buffer stops asking the broker. read_committed. */
export interface LogReader {
  start(positions: readonly Position[]): Promise<void>;
  /** What is there, oldest fetch first, up to bytesMax (at least one slice when anything is there). Never waits. */
  take(bytesMax: number): RecordSlice[];
  readonly bufferedBytes: number;
  /** Resolves when something is buffered, or after timeoutMs. */
  wait(timeoutMs: number): Promise<void>;
  /**
   * How much time it lets pass, from now on, between an answer that brought something and its next question, while it
   * has read everything to its end. 0 at first. Behind, it asks at once.
   */
  pace(restMs: number): void;
  /**
   * As of when the partition is known to hold nothing that was not taken: wall clock, ms, of the request whose answer
   * reached its end (last stable offset). It stays where it is while answers do not come, or the process stands still.
   * Undefined when the last answer did not reach the end, or something of it is buffered.
   */
  endAsOf(at: TopicPartition): number | undefined;
  /** Partitions that have given nothing but errors for as long as that: without news they look like any other. */
  failing(forMs: number): readonly FailingRead[];
  close(): Promise<void>;
}

export interface FailingRead extends TopicPartition {
  readonly forMs: number;
  readonly error: CodedError;
}

/** Records encoded for sending, by topic and partition. Bytes are copied in when appended. */
export interface OutputBuffer {
  append(topic: TopicId, partition: number, key: Uint8Array | null, value: Uint8Array | null): void;
  readonly records: number;
  readonly bytes: number;
  clear(): void;
}

/** One transactional.id. Any error means: this producer is dead and so is everything not committed (contract, *Non-obvious*). */
export interface TransactionalProducer {
  /** InitProducerId: fences every older owner of the id and waits for its open transaction to end. */
  init(): Promise<void>;
  /** Adds records to the open transaction, beginning one if none is; split by bytes below the broker's limit. */
  send(outputs: OutputBuffer): Promise<void>;
  /** Offsets (with metadata) of a consumer group, in the same transaction. */
  sendOffsets(group: string, offsets: readonly (Position & { readonly metadata?: string })[]): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  close(): Promise<void>;
}

/** Who waits for records. Told once of each, and while the producer is at work: what it does must be short. */
export interface Waiter {
  /** @param offset as of `Producer.send`. @param mark as the record was posted with. */
  resolve(offset: number, mark: number): void;
  reject(error: unknown, mark: number): void;
}

/** A key and, behind it, its value, as they lie in memory; copied when it is posted. */
export interface Posted {
  readonly bytes: Buffer;
  readonly start: number;
  readonly keyEnd: number;
  readonly end: number;
  /** The key decides where there is none. */
  readonly partition?: number | undefined;
}

/** acks=all, idempotent, batching by linger; for ingest. */
export interface Producer {
  /**
   * Resolves when the broker has the record on all in-sync replicas, with its offset; -1 when it was there already and
   * the broker no longer says where. Rejects with a CodedError (log_unavailable, …).
   */
  send(topic: TopicId, key: Uint8Array, value: Uint8Array, partition?: number): Promise<number>;
  /** Finds the partitions of these topics: once for all that is posted. Rejects with `log_unavailable`. */
  prepare(topics: readonly TopicId[]): Promise<void>;
  /** As `send`, to a topic that was prepared, at once and without a promise. @param mark which of the waiter's it is. */
  post(topic: TopicId, record: Posted, waiter: Waiter, mark: number): void;
  /**
   * Rejects all that is not acknowledged, and sends none of it that is not under way. What is under way may still
   * arrive, before anything that is sent later.
   */
  giveUp(): void;
  /** Records accepted but not acknowledged. Bounded: send rejects with `log_overloaded` above it. */
  readonly pending: number;
  close(): Promise<void>;
}

/** Of topics that are made. What is not said: three copies, or as many as there are brokers; of three two must have it, else one. */
export interface CopiesWanted {
  readonly replicas?: number | undefined;
  readonly minInSync?: number | undefined;
}

export interface LogAdmin {
  /** Creates what is missing as schemas/topics.ts says (LogAppendTime) and asserts what exists. */
  createTopics(partitions: number, copies?: CopiesWanted): Promise<{ readonly created: readonly string[] }>;
  partitionsOf(topic: TopicId): Promise<number>;
  /**
   * One past the last offset that a read_committed reader will be given. Markers count. A commit is acknowledged before
   * its markers are written, so right after a commit this may still be the offset before its records, for some
   * milliseconds.
   */
  endOffsets(topic: TopicId): Promise<readonly number[]>;
  /**
   * One past the last record that is written, of open and just committed transactions too. A reader that has come so
   * far has been given all that was committed before the question, which endOffsets cannot promise: a commit is
   * acknowledged before its markers are written.
   */
  writtenOffsets(topic: TopicId): Promise<readonly number[]>;
  startOffsets(topic: TopicId): Promise<readonly number[]>;
  committedOffsets(
    group: string,
    topic: TopicId,
  ): Promise<readonly { readonly offset: number | null; readonly metadata: string | null }[]>;
}

export interface LogOptions {
  /** host:port of brokers. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Put before every topic name, consumer group and transactional id: lets tests share a broker. Empty otherwise. */
  readonly prefix: string;
}

export interface ProducerLimits {
  /** A record waits so long for others. */
  readonly lingerMs: number;
  /** The more records come, the longer, up to this; `lingerMs` where it is not given. */
  readonly lingerMsMax?: number;
  readonly pendingRecordsMax: number;
}

export interface Log {
  readonly admin: LogAdmin;
  reader(options: {
    readonly bufferBytesMax: number;
    readonly fetchBytesMax: number;
    readonly waitMsMax: number;
  }): LogReader;
  transactionalProducer(options: {
    readonly transactionalId: string;
    readonly timeoutMs: number;
  }): Promise<TransactionalProducer>;
  producer(options: ProducerLimits): Promise<Producer>;
  newOutputBuffer(): OutputBuffer;
  close(): Promise<void>;
}
