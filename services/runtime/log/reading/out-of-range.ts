/**
 * OFFSET_OUT_OF_RANGE has two causes that could not differ more. What was there has expired: the reader is late, and
 * goes on where the log begins. Or the log ends before the offset, which a log that keeps its word never does: a leader
 * was elected that had less, the broker's disk was set back, the topic was made anew. Then nothing that follows fits to
 * what was read, and trying again helps nobody.
 */
import { CodedError } from '../../errors.ts';
import type { Cluster } from '../connection/cluster.ts';
import {
  kafkaError,
  NONE,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC_OR_PARTITION,
} from '../connection/kafka-error.ts';
import { decodeListedOffsets, listOffsetsRequest, type OffsetWanted } from '../protocol/offset-requests.ts';
import { placeOf, type ReadPartition } from './read-partition.ts';
import { request } from '../connection/request.ts';

/** Rejects, with a retryable error, when the log can no longer be asked, or has the offset by now. */
export async function whyOutOfRange(cluster: Cluster, from: ReadPartition): Promise<CodedError> {
  const [first, end] = [await listed(cluster, from, 'first'), await listed(cluster, from, 'written')];
  const what = `read ${placeOf(from)} from offset ${String(from.at)}`;
  if (from.at < first) return kafkaError(`${what}: the log begins at ${String(first)}`, OFFSET_OUT_OF_RANGE);
  if (from.at > end)
    return new CodedError('log_truncated', `could not ${what}: the log ends at ${String(end)}`);
  throw new CodedError('log_unavailable', `could not ${what}: just now the log did not have it`);
}

async function listed(
  cluster: Cluster,
  { topicName, partition, leader }: ReadPartition,
  wanted: OffsetWanted,
): Promise<number> {
  const broker = await cluster.broker(leader);
  const answer = decodeListedOffsets(
    await request(broker, listOffsetsRequest(topicName, [partition], wanted)),
  );
  const errorCode = answer[0]?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
  if (errorCode !== NONE) throw kafkaError(`look up the offsets of ${topicName}`, errorCode);
  return answer[0]?.offset ?? 0;
}
