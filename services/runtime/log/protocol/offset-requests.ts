/** ListOffsets (version 3) and OffsetFetch (version 7). */
import type { WireRequest } from './wire-request.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** `end`: of what a read_committed reader is given now. `written`: of everything, open transactions included. */
export type OffsetWanted = 'first' | 'end' | 'written';
const TIMESTAMPS = { first: -2, end: -1, written: -1 } as const;
const CLIENT = -1;
const READ_UNCOMMITTED = 0;
const READ_COMMITTED = 1;

export function listOffsetsRequest(
  topicName: string,
  partitions: readonly number[],
  wanted: OffsetWanted,
): WireRequest {
  const isolation = wanted === 'written' ? READ_UNCOMMITTED : READ_COMMITTED;
  const body = new WireWriter().int32(CLIENT).int8(isolation);
  body.array([topicName], (name) => {
    body.string(name).array(partitions, (partition) => body.int32(partition).int64(TIMESTAMPS[wanted]));
  });
  return { apiKey: 2, apiName: 'ListOffsets', apiVersion: 3, body: [body.finish()] };
}

export interface ListedOffset {
  readonly partition: number;
  readonly errorCode: number;
  readonly offset: number;
}

export function decodeListedOffsets(answer: WireReader): readonly ListedOffset[] {
  answer.int32(); // throttle time
  return answer
    .array(() => {
      answer.string();
      return answer.array(() => {
        const found = { partition: answer.int32(), errorCode: answer.int16() };
        answer.int64(); // timestamp
        return { ...found, offset: answer.int64() };
      });
    })
    .flat();
}

/**
 * Asks for stable offsets: while a transaction that holds offsets of the group is being completed, the broker answers
 * UNSTABLE_OFFSET_COMMIT. Without (kafkajs, version 4) an offset read right after a commit is stale about 1 time in 80.
 */
export function fetchOffsetsRequest(
  group: string,
  topicName: string,
  partitions: readonly number[],
): WireRequest {
  const body = new WireWriter().compactString(group);
  body.compactArray([topicName], (name) => {
    body
      .compactString(name)
      .compactArray(partitions, (partition) => body.int32(partition))
      .noTags();
  });
  body.boolean(true).noTags();
  return { apiKey: 9, apiName: 'OffsetFetch', apiVersion: 7, flexible: true, body: [body.finish()] };
}

export interface CommittedOffset {
  readonly partition: number;
  readonly errorCode: number;
  /** -1: none. */
  readonly offset: number;
  readonly metadata: string | null;
}

export function decodeFetchedOffsets(answer: WireReader): {
  readonly errorCode: number;
  readonly offsets: readonly CommittedOffset[];
} {
  answer.int32(); // throttle time
  const offsets = answer
    .compactArray(() => {
      answer.compactString();
      const partitions = answer.compactArray(() => {
        const partition = answer.int32();
        const offset = answer.int64();
        answer.int32(); // leader epoch
        const metadata = answer.compactString();
        const errorCode = answer.int16();
        answer.skipTags();
        return { partition, offset, metadata, errorCode };
      });
      answer.skipTags();
      return partitions;
    })
    .flat();
  return { errorCode: answer.int16(), offsets };
}
