/**
 * 64 bits of (lane, identifier named or none, message id), for the duplicates check: SipHash of the identifier and the
 * message id, under 64 bits of the lane's own hash, which nobody outside knows. So nobody can compute two that agree, in one
 * lane or in two, and what agrees by chance does so once in 2^64. A public hash that only starts from the lane's bits would
 * not do: murmur3 has pairs of texts that agree whatever it starts from.
 */
import { canonicalIdentifier } from '../../../schemas/lanes.ts';
import { secretBytes, SipHash } from '../../runtime/store/events/sip-hash.ts';
import type { EventStore, LaneSlot } from '../../runtime/store/ports.ts';
import { NOBODY, type EventRouting } from './routing.ts';

/** One hasher, used again for every record. */
export class MessageHash {
  high = 0;
  low = 0;
  /** Words of the lane's hash. */
  laneLow = 0;
  laneHigh = 0;
  readonly #sipHash = new SipHash(new Uint8Array(secretBytes));
  readonly #words = new Uint32Array(4);

  of(events: EventStore, lane: LaneSlot, event: EventRouting): void {
    const identifier = event.identifierKind === NOBODY ? undefined : identifierBytes(event);
    // The identifier's length is a part of the key, so that no two splits of one text agree; it has at least three bytes.
    this.laneLow = events.laneWord(lane, 0);
    this.laneHigh = events.laneWord(lane, 1);
    this.#sipHash.setKey(this.laneLow, this.laneHigh, identifier === undefined ? 0 : identifier.length);
    const { bytes, messageId } = event;
    if (identifier === undefined) {
      this.#sipHash.hash(this.#words, bytes, messageId.start, messageId.end);
    } else {
      const both = Buffer.concat([identifier, bytes.subarray(messageId.start, messageId.end)]);
      this.#sipHash.hash(this.#words, both, 0, both.length);
    }
    this.high = this.#words[0] as number; // it has four
    this.low = this.#words[1] as number;
  }
}

/** Canonical, so that a client that changes an email's case on a retry still repeats itself. */
function identifierBytes(event: EventRouting): Buffer | undefined {
  const identifier = event.named();
  if (identifier === null) return undefined;
  return Buffer.from(`${identifier.kind}:${canonicalIdentifier(identifier).value}`);
}
