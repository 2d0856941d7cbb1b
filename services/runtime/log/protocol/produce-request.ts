/** Produce, version 7: one record batch for each partition, acknowledged by all in-sync replicas. */
import type { WireRequest } from './wire-request.ts';
import type { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

export interface ProduceItem {
  readonly topicName: string;
  readonly partition: number;
  /** A sealed batch. Must not change before the answer is there. */
  readonly batch: Buffer;
}

export interface ProduceResult {
  readonly topicName: string;
  readonly partition: number;
  readonly errorCode: number;
  /** Of the batch's first record; -1 when the broker does not say. */
  readonly baseOffset: number;
}

const ACKS_ALL = -1;
/** A batch up to this size is copied beside its head: one part more costs a socket more than so many bytes do. */
const COPIED_BYTES_MAX = 8 << 10;

export function produceRequest(
  items: readonly ProduceItem[],
  transactionalId: string | null,
  timeoutMs: number,
): WireRequest {
  const body: Buffer[] = [];
  let head = new WireWriter().string(transactionalId).int16(ACKS_ALL).int32(timeoutMs);
  const topics = new Map<string, ProduceItem[]>();
  for (const item of items) {
    const same = topics.get(item.topicName);
    if (same === undefined) topics.set(item.topicName, [item]);
    else same.push(item);
  }
  head.int32(topics.size);
  for (const [topicName, partitions] of topics) {
    head.string(topicName).int32(partitions.length);
    for (const { partition, batch } of partitions) {
      head.int32(partition).int32(batch.length);
      if (batch.length <= COPIED_BYTES_MAX) {
        head.bytes(batch);
        continue;
      }
      body.push(head.finish(), batch);
      head = new WireWriter();
    }
  }
  if (head.length > 0) body.push(head.finish());
  return { apiKey: 0, apiName: 'Produce', apiVersion: 7, body, timeoutMs };
}

export function decodeProduced(answer: WireReader): readonly ProduceResult[] {
  return answer
    .array(() => {
      const topicName = answer.string() ?? '';
      return answer.array(() => {
        const [partition, errorCode, baseOffset] = [answer.int32(), answer.int16(), answer.int64()];
        answer.int64(); // append time
        answer.int64(); // log start offset
        return { topicName, partition, errorCode, baseOffset };
      });
    })
    .flat();
}
