/** Fetch, version 11, read_committed, without a fetch session. */
import type { WireRequest } from './wire-request.ts';
import { WireWriter } from './wire-writer.ts';

export interface FetchItem {
  readonly topicName: string;
  readonly partition: number;
  readonly offset: number;
}
export interface FetchLimits {
  /** The broker answers at once when it has anything, else after this. */
  readonly waitMsMax: number;
  /** Of the answer. The first batch comes whole even if it is larger. */
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
}

const CONSUMER = -1;
const BYTES_MIN = 1;
const READ_COMMITTED = 1;
const NO_SESSION = 0;
const NO_SESSION_EPOCH = -1;
const UNKNOWN = -1;
const NETWORK_MS = 10_000;

/** The broker fills the answer in the order asked, so the order is part of the request: neighbours share a topic entry. */
export function fetchRequest(items: readonly FetchItem[], limits: FetchLimits): WireRequest {
  const body = new WireWriter()
    .int32(CONSUMER)
    .int32(limits.waitMsMax)
    .int32(BYTES_MIN)
    .int32(limits.bytesMax)
    .int8(READ_COMMITTED)
    .int32(NO_SESSION)
    .int32(NO_SESSION_EPOCH);
  body.array(neighbours(items), (group) => {
    body.string(group.topicName).array(group.items, ({ partition, offset }) => {
      body.int32(partition).int32(UNKNOWN).int64(offset).int64(UNKNOWN).int32(limits.partitionBytesMax);
    });
  });
  body.array([], () => undefined).string(''); // topics to forget, rack
  return {
    apiKey: 1,
    apiName: 'Fetch',
    apiVersion: 11,
    body: [body.finish()],
    timeoutMs: limits.waitMsMax + NETWORK_MS,
  };
}

function neighbours(items: readonly FetchItem[]): { topicName: string; items: FetchItem[] }[] {
  const groups: { topicName: string; items: FetchItem[] }[] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (last?.topicName === item.topicName) last.items.push(item);
    else groups.push({ topicName: item.topicName, items: [item] });
  }
  return groups;
}
