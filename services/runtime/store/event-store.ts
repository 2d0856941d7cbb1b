/**
 * The visitor event store: what a visitor did, kept until somebody claims it or 30 days are over.
 *
 * A segment log of records, an index from lane to its newest event, and in each record a pointer to the one before.
 * Record: u32 length and type | u32 previous segment | u32 previous offset | 16 bytes hash | 6 bytes received at |
 * 6 bytes timestamp | value. Types: event, flags of a lane changed, chain cleared. So the index is a fold of the log;
 * its snapshot only saves reading the log from its start, and is what keeps flags when old segments go.
 */
import { RECEIVED_AT, RECORD_HEADER_BYTES, setTime, timeAt, TIMESTAMP } from './event-record.ts';
import { hashLane, type HashWords } from './lane-hash.ts';
import { LaneIndex } from './lane-index.ts';
import type { Chain, EventStore, LaneSlot, StoredEvents } from './ports.ts';
import { ReadWindow } from './read-window.ts';
import { logStart, recordLength, SegmentLog, type LogPosition } from './segment-log.ts';
import { ChainEvents } from './stored-events.ts';
import { TableKeeper } from './table-keeper.ts';
import { readTable, TableDraft } from './table-snapshot.ts';

const EVENT = 0;
const FLAGS = 1;
const CLEARED = 2;
/** Hash, and where an event has its previous pointer: the flags of a FLAGS record. */
const HASH = 12;
const CONTROL_BYTES = 28;
const TYPE_SHIFT = 28;
/** A segment of some size ends when its events are so far apart: 30 days are kept in about 60 of them, or larger ones. */
export const segmentMsMax = 12 * 3_600_000;
export const agedSegmentBytesMin = 2 << 20;
/** The queue of a lane is a chain under a hash of its own: few lanes ever have one. */
const QUEUE_TWIST = 0x5bd1_e995;

/** Scratch of laneKeyHex. */
const keyBytes = Buffer.allocUnsafeSlow(16);
const keyView = new DataView(keyBytes.buffer);

export class SegmentEventStore implements EventStore {
  readonly #log: SegmentLog;
  readonly #window: ReadWindow;
  readonly #index = new LaneIndex();
  readonly #keeper: TableKeeper;
  readonly #hash: HashWords = new Uint32Array(4);
  readonly #queueHash: HashWords = new Uint32Array(4);
  /** Latest receive time in each segment: a segment goes when its latest is too old. */
  readonly #latest = new Map<number, number>();
  /** The latest of the segment that was noted last, and the first that was appended to it since the store was opened. */
  #segment = 0;
  #segmentLatest = 0;
  #segmentFirst = 0;
  #expireBefore = 0;

  private constructor(folder: string, end: LogPosition) {
    const log = (this.#log = SegmentLog.open(folder, end));
    this.#window = new ReadWindow(log);
    const head = readTable(folder, end, this.#index);
    const position = head?.position ?? logStart;
    this.#keeper = new TableKeeper(folder, log, this.#index, position);
    for (const [segment, latest] of head?.latest ?? []) this.#latest.set(segment, latest);
    log.scan(position, (block, segment, offset) => {
      this.#replay(block, segment, offset);
    });
  }

  /** Opens the store as it was at `end`. Throws `store_behind` or `store_damaged`. */
  static open(folder: string, end: LogPosition): SegmentEventStore {
    return new SegmentEventStore(folder, end);
  }

  lane(bytes: Uint8Array, start: number, end: number): LaneSlot {
    hashLane(this.#hash, bytes, start, end);
    this.#index.makeRoom(2, this.#log.segmentMin); // the lane, and its queue should it come to have one
    return this.#index.slot(this.#hash);
  }
  flags(lane: LaneSlot): number {
    return this.#index.flags(lane);
  }
  setFlags(lane: LaneSlot, flags: number): void {
    if (flags === this.#index.flags(lane)) return;
    this.#index.setFlags(lane, flags);
    this.#control(FLAGS, flags, lane);
  }
  laneKeyHex(lane: LaneSlot): string {
    for (let i = 0; i < 4; i += 1) keyView.setUint32(4 * i, this.#index.word(lane, i));
    return keyBytes.toString('hex');
  }
  laneWord(lane: LaneSlot, word: 0 | 1 | 2 | 3): number {
    return this.#index.word(lane, word);
  }

  // eslint-disable-next-line @typescript-eslint/max-params -- called for every event: an object would be garbage
  append(
    lane: LaneSlot,
    chain: Chain,
    receivedAt: number,
    timestamp: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const slot = chain === 'waiting' ? lane : this.#queueSlot(lane);
    const log = this.#log;
    const index = this.#index;
    if (receivedAt > this.#segmentLatest) this.#endSegment(receivedAt);
    const length = RECORD_HEADER_BYTES + end - start;
    const at = log.take(length);
    const { view } = log;
    view.setUint32(at, length, true);
    view.setUint32(at + 4, index.segment(slot), true);
    view.setUint32(at + 8, index.offset(slot), true);
    this.#writeHash(view, at + HASH, slot);
    setTime(view, at + RECEIVED_AT, receivedAt);
    setTime(view, at + TIMESTAMP, timestamp < 0 ? 0 : timestamp);
    log.buffer.set(bytes.subarray(start, end), at + RECORD_HEADER_BYTES);
    const { segment } = log;
    index.push(slot, segment, log.offsetOf(at));
    this.#noteLatest(segment, receivedAt);
  }
  count(lane: LaneSlot, chain: Chain): number {
    return this.#index.count(chain === 'waiting' ? lane : this.#queueSlot(lane));
  }
  events(lane: LaneSlot, chain: Chain, receivedFrom: number, eventsMax = Infinity): StoredEvents {
    const slot = chain === 'waiting' ? lane : this.#queueSlot(lane);
    const index = this.#index;
    const head = { segment: index.segment(slot), offset: index.offset(slot), count: index.count(slot) };
    const events = new ChainEvents(this.#window, head, receivedFrom);
    events.readOn(eventsMax);
    return events;
  }
  clear(lane: LaneSlot, chain: Chain): void {
    const slot = chain === 'waiting' ? lane : this.#queueSlot(lane);
    if (this.#index.count(slot) === 0) return;
    this.#index.clear(slot);
    this.#control(CLEARED, 0, slot);
  }

  expire(receivedBefore: number): void {
    this.#expireBefore = Math.max(this.#expireBefore, receivedBefore);
  }
  get bytesOnDisk(): number {
    return this.#log.segments.reduce((sum, segment) => sum + this.#log.sizeOf(segment), 0);
  }
  get lanes(): number {
    return this.#index.used;
  }

  /** How much was ever appended, written or not, as text to compare. */
  get tail(): string {
    return this.#log.tail;
  }

  /** Writes the buffer out; the position is what the partition's mark then names. */
  write(): LogPosition {
    const position = this.#log.write();
    this.#log.sync();
    return position;
  }

  /**
   * After the mark: a snapshot when one is due, then segments that have expired and that the snapshot in force covers
   * (unless `held`). `marked` resolves when the disk has the mark.
   */
  afterMark(position: LogPosition, marked: () => Promise<unknown>, held: boolean): void {
    const expired = this.#expiredBelow();
    if (this.#keeper.isDue || expired > this.#keeper.position.segment) {
      this.#keeper.begin(position, this.#latest, marked);
    }
    if (held) return;
    this.#log.dropBelow(Math.min(expired, this.#keeper.position.segment));
    for (const segment of this.#latest.keys())
      if (segment < this.#log.segmentMin) this.#latest.delete(segment);
  }

  /** The index as of the end of what was written, with nothing appended since, for a copy of the segments. */
  async writeSnapshot(folder: string, position: LogPosition): Promise<void> {
    await TableDraft.write(folder, { position, latest: [...this.#latest] }, this.#index).keep(
      Promise.resolve(),
    );
  }
  close(): void {
    this.#keeper.close();
    this.#log.close();
  }

  /** First segment that must stay. Only a prefix goes, so that a chain never has a hole. */
  #expiredBelow(): number {
    let segment = this.#log.segmentMin;
    while (segment < this.#log.segment && (this.#latest.get(segment) ?? 0) < this.#expireBefore) segment += 1;
    return segment;
  }

  #queueSlot(lane: LaneSlot): number {
    for (let i = 0; i < 4; i += 1) this.#queueHash[i] = this.#index.word(lane, i) ^ QUEUE_TWIST;
    return this.#index.slot(this.#queueHash);
  }

  #control(type: number, value: number, slot: number): void {
    const at = this.#log.take(CONTROL_BYTES);
    const { view } = this.#log;
    view.setUint32(at, (type << TYPE_SHIFT) | CONTROL_BYTES, true);
    view.setUint32(at + 4, value, true);
    view.setUint32(at + 8, 0, true);
    this.#writeHash(view, at + HASH, slot);
  }

  #writeHash(view: DataView, at: number, slot: number): void {
    for (let i = 0; i < 4; i += 1) view.setUint32(at + 4 * i, this.#index.word(slot, i), true);
  }

  /** A segment goes as a whole, so one that reached over many days would keep what has expired for as long. */
  #endSegment(receivedAt: number): void {
    const log = this.#log;
    if (log.segment !== this.#segment || receivedAt - this.#segmentFirst < segmentMsMax) return;
    if (log.offset >= agedSegmentBytesMin) log.roll();
  }

  #noteLatest(segment: number, receivedAt: number): void {
    if (segment === this.#segment && receivedAt <= this.#segmentLatest) return;
    if (segment !== this.#segment) this.#segmentFirst = receivedAt;
    this.#segment = segment;
    this.#segmentLatest = Math.max(receivedAt, this.#latest.get(segment) ?? 0);
    this.#latest.set(segment, this.#segmentLatest);
  }

  /** Folds a block into the index, as appending its records once did. */
  #replay(block: Buffer, segment: number, offset: number): void {
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    const { segmentMin } = this.#log;
    for (let at = 0; at < block.length;) {
      const word = view.getUint32(at, true);
      for (let i = 0; i < 4; i += 1) this.#hash[i] = view.getUint32(at + HASH + 4 * i, true);
      this.#index.makeRoom(1, segmentMin);
      const slot = this.#index.slot(this.#hash);
      const type = word >>> TYPE_SHIFT;
      this.#log.records += 1;
      if (type === EVENT) {
        this.#index.push(slot, segment, offset + at);
        this.#noteLatest(segment, timeAt(view, at + RECEIVED_AT));
      } else if (type === FLAGS) this.#index.setFlags(slot, view.getUint32(at + 4, true));
      else if (type === CLEARED) this.#index.clear(slot);
      at += recordLength(word);
    }
  }
}
