/**
 * Lanes with very many waiting events: how many of them wait by hour of receipt, so that what has expired makes room
 * again. Counted from the first time that a lane's chain is as long as the limit, which includes what has expired; that
 * lane has a flag from then on, and every other lane costs a comparison.
 *
 * It goes by receive times and never by what the store still has, since a replay may find more of it, or less.
 */
import { holdMsMax } from '../../../schemas/hold.ts';
import type { EventStore, KeyedStore, LaneSlot } from '../../runtime/store/ports.ts';
import { laneEventsMax, waitingMs } from '../decide/limits.ts';
import { COUNTED } from '../decide/state.ts';

const HOUR_MS = 3_600_000;
/** An event that ingest held back looks so much further back than the one before it. */
const LATE_HOURS = Math.ceil(holdMsMax / HOUR_MS) + 1;
const PREFIX = 'n/';
const WORDS = 2;
const WORD_BYTES = 4;

export class FullLanes {
  readonly #events: EventStore;
  readonly #keyed: KeyedStore;
  readonly #eventsMax: number;

  constructor(events: EventStore, keyed: KeyedStore, eventsMax = laneEventsMax) {
    this.#events = events;
    this.#keyed = keyed;
    this.#eventsMax = eventsMax;
  }

  /** May an event that was received now wait, too? If so it is counted, and must be appended. */
  hasRoom(slot: LaneSlot, receivedAt: number): boolean {
    const events = this.#events;
    const isCounted = (events.flags(slot) & COUNTED) !== 0;
    if (!isCounted && events.count(slot, 'waiting') < this.#eventsMax) return true;
    const hourMin = hourOf(receivedAt - waitingMs);
    const key = PREFIX + events.laneKeyHex(slot);
    const stored = isCounted ? this.#keyed.get(key) : undefined;
    const hours = stored === undefined ? this.#count(slot, hourMin - LATE_HOURS) : decode(stored);
    if (!isCounted) events.setFlags(slot, events.flags(slot) | COUNTED);
    let waiting = 0;
    for (const [hour, count] of hours) {
      if (hour >= hourMin) waiting += count;
      else if (hour < hourMin - LATE_HOURS) hours.delete(hour);
    }
    const hasRoom = waiting < this.#eventsMax;
    const hour = hourOf(receivedAt);
    if (hasRoom) hours.set(hour, (hours.get(hour) ?? 0) + 1);
    if (hasRoom || !isCounted) this.#keyed.put(key, encode(hours));
    return hasRoom;
  }

  /** What waited was claimed: nothing ever waits in this lane again. */
  forget(slot: LaneSlot): void {
    if ((this.#events.flags(slot) & COUNTED) === 0) return;
    this.#events.setFlags(slot, this.#events.flags(slot) & ~COUNTED);
    this.#keyed.delete(PREFIX + this.#events.laneKeyHex(slot));
  }

  #count(slot: LaneSlot, hourFrom: number): Map<number, number> {
    const hours = new Map<number, number>();
    const events = this.#events.events(slot, 'waiting', hourFrom * HOUR_MS);
    for (let i = 0; i < events.length; i += 1) {
      const hour = hourOf(events.receivedAt(i));
      hours.set(hour, (hours.get(hour) ?? 0) + 1);
    }
    return hours;
  }
}

function hourOf(time: number): number {
  return Math.floor(time / HOUR_MS);
}

/** Pairs of hour and count, 721 at most and those of events that came late. */
function encode(hours: ReadonlyMap<number, number>): Buffer {
  const bytes = Buffer.alloc(hours.size * WORDS * WORD_BYTES);
  let at = 0;
  for (const [hour, count] of hours) {
    bytes.writeUInt32LE(hour, at);
    bytes.writeUInt32LE(count, at + WORD_BYTES);
    at += WORDS * WORD_BYTES;
  }
  return bytes;
}
function decode(bytes: Buffer): Map<number, number> {
  const hours = new Map<number, number>();
  for (let at = 0; at < bytes.length; at += WORDS * WORD_BYTES) {
    hours.set(bytes.readUInt32LE(at), bytes.readUInt32LE(at + WORD_BYTES));
  }
  return hours;
}
