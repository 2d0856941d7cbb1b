/**
 * 64 bits of (lane, identifier named or none, message id), for the duplicates check: murmur3 twice over one pass, which
 * goes on from the lane's own hash, so that a key is hashed once.
 */
import { canonicalIdentifier } from '../../../schemas/lanes.ts';
import { viewOf } from '../../runtime/byte-view.ts';
import type { EventStore, LaneSlot } from '../../runtime/store/ports.ts';
import { NOBODY, type EventRouting } from './routing.ts';

const FIRST = { a: 0xcc9e2d51, b: 0x1b873593 };
const SECOND = { a: 0x239b961b, b: 0xab0e9789 };

/** One hasher, used again for every record. */
export class MessageHash {
  high = 0;
  low = 0;
  #length = 0;

  of(events: EventStore, lane: LaneSlot, event: EventRouting): void {
    this.high = events.laneWord(lane, 0);
    this.low = events.laneWord(lane, 1);
    this.#length = 0;
    if (event.kind !== NOBODY) this.#addIdentifier(event);
    this.#add(event.bytes, event.messageId.start, event.messageId.end);
    this.high = finish(this.high ^ this.#length);
    this.low = finish(this.low ^ this.#length);
  }

  /** Canonical, so that a client that changes an email's case on a retry still repeats itself. */
  #addIdentifier(event: EventRouting): void {
    const identifier = event.named();
    if (identifier === null) return;
    const bytes = Buffer.from(`${identifier.kind}:${canonicalIdentifier(identifier).value}`);
    this.#add(bytes, 0, bytes.length);
  }

  /** Each part ends with its length, so that no two splits of one text agree. */
  #add(bytes: Uint8Array, start: number, end: number): void {
    const view = viewOf(bytes);
    let high = this.high;
    let low = this.low;
    let at = start;
    for (; at + 4 <= end; at += 4) {
      const word = view.getInt32(at, true);
      high = step(high, word, FIRST.a, FIRST.b);
      low = step(low, word, SECOND.a, SECOND.b);
    }
    let rest = (end - start) << 24;
    for (let shift = 0; at < end; at += 1, shift += 8) rest ^= view.getUint8(at) << shift;
    this.high = step(high, rest, FIRST.a, FIRST.b);
    this.low = step(low, rest, SECOND.a, SECOND.b);
    this.#length += end - start;
  }
}

function step(hash: number, word: number, a: number, b: number): number {
  const k = Math.imul(word, a);
  const mixed = hash ^ Math.imul((k << 15) | (k >>> 17), b);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let x = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
