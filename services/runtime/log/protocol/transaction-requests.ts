/** The requests of a transaction, in the versions that every broker since 2.0 takes. */
import type { WireRequest } from './wire-request.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export interface TopicPartitions {
  readonly topicName: string;
  readonly partitions: readonly number[];
}

export interface GroupOffset {
  readonly topicName: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string | null;
}

/** Version 1. A transactional id of null asks for an idempotent producer's id. */
export function initProducerIdRequest(transactionalId: string | null, timeoutMs: number): WireRequest {
  const body = new WireWriter().string(transactionalId).int32(timeoutMs).finish();
  return { apiKey: 22, apiName: 'InitProducerId', apiVersion: 1, body: [body] };
}

export function decodeProducerId(answer: WireReader): {
  readonly errorCode: number;
  readonly producerId: number;
  readonly producerEpoch: number;
} {
  answer.int32(); // throttle time
  return { errorCode: answer.int16(), producerId: answer.int64(), producerEpoch: answer.int16() };
}

/** Version 1. */
export function addPartitionsRequest(
  producer: ProducerIdentity,
  topics: readonly TopicPartitions[],
): WireRequest {
  const body = identity(producer);
  body.array(topics, ({ topicName, partitions }) => {
    body.string(topicName).array(partitions, (partition) => body.int32(partition));
  });
  return { apiKey: 24, apiName: 'AddPartitionsToTxn', apiVersion: 1, body: [body.finish()] };
}

/** Version 1. */
export function addOffsetsRequest(producer: ProducerIdentity, group: string): WireRequest {
  const body = identity(producer).string(group).finish();
  return { apiKey: 25, apiName: 'AddOffsetsToTxn', apiVersion: 1, body: [body] };
}

/** Version 1. */
export function commitOffsetsRequest(
  producer: ProducerIdentity,
  group: string,
  offsets: readonly GroupOffset[],
): WireRequest {
  const body = new WireWriter().string(producer.transactionalId).string(group);
  body.int64(producer.producerId).int16(producer.producerEpoch);
  const topicNames = [...new Set(offsets.map(({ topicName }) => topicName))];
  body.array(topicNames, (topicName) => {
    const same = offsets.filter((offset) => offset.topicName === topicName);
    body.string(topicName).array(same, ({ partition, offset, metadata }) => {
      body.int32(partition).int64(offset).string(metadata);
    });
  });
  return { apiKey: 28, apiName: 'TxnOffsetCommit', apiVersion: 1, body: [body.finish()] };
}

/** Version 1. */
export function endRequest(producer: ProducerIdentity, outcome: 'commit' | 'abort'): WireRequest {
  const body = identity(producer)
    .boolean(outcome === 'commit')
    .finish();
  return { apiKey: 26, apiName: 'EndTxn', apiVersion: 1, body: [body] };
}

function identity({ transactionalId, producerId, producerEpoch }: ProducerIdentity): WireWriter {
  return new WireWriter().string(transactionalId).int64(producerId).int16(producerEpoch);
}

/** Of AddOffsetsToTxn and EndTxn. */
export function decodeErrorCode(answer: WireReader): number {
  answer.int32(); // throttle time
  return answer.int16();
}

/** Of AddPartitionsToTxn and TxnOffsetCommit: the first that is not 0, or 0. OPERATION_NOT_ATTEMPTED names no cause. */
export function decodePartitionErrorCode(answer: WireReader): number {
  const OPERATION_NOT_ATTEMPTED = 55;
  answer.int32(); // throttle time
  const codes = answer
    .array(() => {
      answer.string();
      return answer.array(() => {
        answer.int32();
        return answer.int16();
      });
    })
    .flat();
  const failed = codes.filter((code) => code !== 0);
  return failed.find((code) => code !== OPERATION_NOT_ATTEMPTED) ?? failed[0] ?? 0;
}
