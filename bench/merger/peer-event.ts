/** The peer's workload made here instead of by its generator: bench/workload.ts, written down as its Workload.java does. */
import type { WorkloadEvent } from '../workload.ts';
import type { PeerRecord } from './peer-record.ts';

const PAGE = 'page_viewed';

export function peerEventOf(event: WorkloadEvent): PeerRecord {
  const messageId = event.sequence.toString(16).padStart(16, '0');
  const { anonymousId, receivedAt, timestamp, userId } = event;
  return {
    anonymousId,
    isIdentify: userId !== null,
    receivedAt,
    timestamp,
    userId,
    messageId,
    json: jsonOf(event, messageId),
  };
}

function jsonOf({ anonymousId, userId, name, timestamp, product }: WorkloadEvent, messageId: string): string {
  const type = userId !== null ? 'identify' : name === PAGE ? 'page' : 'track';
  const user = userId === null ? '' : `","userId":"${userId}`;
  const price = `${String(5 + (product % 200))}.99`;
  return (
    `{"messageId":"${messageId}","type":"${type}","anonymousId":"${anonymousId}${user}","event":"${name}"` +
    `,"timestamp":"${instantOf(timestamp)}","properties":{"path":"/products/${String(product)}"` +
    `,"product_id":"sku-${String(product)}","price":${price},"currency":"EUR"}}`
  );
}

/** As Java's Instant writes itself: a whole second has no fraction. */
function instantOf(timestamp: number): string {
  return new Date(timestamp).toISOString().replace('.000Z', 'Z');
}
