/**
 * The visitor event store: what a visitor did, kept until somebody claims it or 30 days are over.
 *
 * A segment log of records, an index from lane to its newest event, and in each record a pointer to the one before
 * (event-record.ts). So the index is a fold of the log; its snapshot only saves reading the log from its start, and is
 * what keeps flags when old segments go.
 */
import { assertState } from '../../errors.ts';
import {
  CLEARED,
  CONTROL_BYTES,
  CONTROL_FLAGS,
  CONTROL_HASH,
  FIRST,
  FIRST_BYTES,
  FIRST_HASH,
  FLAGS,
  leadOf,
  lengthOf,
  liveSegmentsMax,
  NEXT,
  NEXT_BEFORE,
  NEXT_BYTES,
  NEXT_HASH,
  offsetAt,
  RECEIVED_AT,
  segmentAt,
  setPlace,
  setTime,
  timeAt,
  TIMESTAMP,
  typeOf,
} from './event-record.ts';
import type { LogDisk, StoreFiles } from '../files.ts';
import { SipHash, type HashWords } from './sip-hash.ts';
import { LaneIndex } from './lane-index.ts';
import type { Chain, EventStore, LaneSlot, StoredEvents } from '../ports.ts';
import { ReadWindow } from './read-window.ts';
import type { LogPosition } from '../segments/log-position.ts';
import { logStart, SegmentLog, type LogMark } from '../segments/segment-log.ts';
import { ChainEvents } from './stored-events.ts';
import { TableKeeper } from '../tables/table-keeper.ts';
import { readTable, TableDraft } from '../tables/table-snapshot.ts';

/** A segment of some size ends when its events are so far apart: 30 days are kept in about 60 of them, or larger ones. */
export const segmentMsMax = 12 * 3_600_000;
export const agedSegmentBytesMin = 2 << 20;
/** The queue of a lane is a chain under a hash of its own: few lanes ever have one. */
const QUEUE_TWIST = 0x5bd1_e995;

/** Of the 128 bits of a lane's hash 96 are kept: a chance of 1e-13 that any two of 100 million share them. */
const HASH_WORDS = 3;
const WORD_BYTES = 4;
/** Scratch of laneKeyHex. */
const keyBytes = Buffer.allocUnsafeSlow(4 * HASH_WORDS);
const keyView = new DataView(keyBytes.buffer);
const hashWords = [0, 1, 2] as const;

export class SegmentEventStore implements EventStore {
  readonly #files: StoreFiles;
  readonly #log: SegmentLog;
  readonly #window: ReadWindow;
  readonly #index = new LaneIndex();
  readonly #keeper: TableKeeper;
  /** Under the partition's secret: the hash stands for the lane, so nobody outside may know whose are alike. */
  readonly #sipHash: SipHash;
  readonly #hash: HashWords = new Uint32Array(4);
  readonly #queueHash: HashWords = new Uint32Array(HASH_WORDS);
  /** Latest receive time in each segment: a segment goes when its latest is too old. */
  readonly #latest = new Map<number, number>();
  /** The latest of the segment that was noted last, and the first that was appended to it since the store was opened. */
  #segment = 0;
  #segmentLatest = 0;
  #segmentFirst = 0;
  #expireBefore = 0;

  private constructor(disk: LogDisk, folder: string, end: LogMark, secret: Uint8Array) {
    this.#files = disk.files;
    this.#sipHash = new SipHash(secret);
    const log = (this.#log = SegmentLog.open(disk, folder, end));
    this.#window = new ReadWindow(log);
    try {
      const head = readTable(disk.files, folder, end, this.#index);
      const position = head?.position ?? logStart;
      log.assertHas(position);
      this.#keeper = new TableKeeper(disk, folder, log, this.#index, position);
      for (const [segment, latest] of head?.latest ?? []) this.#latest.set(segment, latest);
      log.scan(position, (block, segment, offset) => {
        this.#replay(block, segment, offset);
      });
    } catch (error) {
      log.close();
      throw error;
    }
  }

  /** Opens the store as it was at `end`. Throws `store_behind` or `store_damaged`. */
  static open(disk: LogDisk, folder: string, end: LogMark, secret: Uint8Array): SegmentEventStore {
    return new SegmentEventStore(disk, folder, end, secret);
  }

  lane(bytes: Uint8Array, start: number, end: number): LaneSlot {
    this.#sipHash.hash(this.#hash, bytes, start, end);
    this.#index.makeRoom(2, this.#log.segmentMin); // the lane, and its queue should it come to have one
    return this.#index.slot(this.#hash);
  }
  knownLane(bytes: Uint8Array, start: number, end: number): LaneSlot | undefined {
    this.#sipHash.hash(this.#hash, bytes, start, end);
    const slot = this.#index.find(this.#hash);
    return slot < 0 ? undefined : slot;
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
    for (const i of hashWords) keyView.setUint32(WORD_BYTES * i, this.#index.word(lane, i));
    return keyBytes.toString('hex');
  }
  laneWord(lane: LaneSlot, word: 0 | 1): number {
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
    const slot = chain === 'waiting' ? lane : this.#index.slot(this.#hashOfQueue(lane));
    const log = this.#log;
    const index = this.#index;
    if (receivedAt > this.#segmentLatest) this.#endSegment(receivedAt);
    const before = index.readChain(slot);
    const goesOn = before.segment >= log.segmentMin;
    const headerBytes = goesOn ? NEXT_BYTES : FIRST_BYTES;
    const length = headerBytes + end - start;
    const at = log.take(length);
    const { view, segment } = log;
    view.setUint32(at, leadOf(goesOn ? NEXT : FIRST, length), true);
    setTime(view, at + RECEIVED_AT, receivedAt);
    setTime(view, at + TIMESTAMP, timestamp < 0 ? 0 : timestamp);
    if (goesOn) {
      setPlace(view, at + NEXT_BEFORE, before.segment, before.offset);
      view.setUint32(at + NEXT_HASH, before.first, true);
      view.setUint8(at + NEXT_HASH + WORD_BYTES, index.shardOf(slot));
    } else this.#writeHash(view, at + FIRST_HASH, slot);
    log.buffer.set(bytes.subarray(start, end), at + headerBytes);
    index.push(slot, segment, log.offsetOf(at), goesOn ? before.count + 1 : 1);
    this.#noteLatest(segment, receivedAt);
  }
  count(lane: LaneSlot, chain: Chain): number {
    const slot = this.#chainSlot(lane, chain);
    return slot < 0 ? 0 : this.#index.count(slot);
  }
  events(lane: LaneSlot, chain: Chain, receivedFrom: number, eventsMax = Infinity): StoredEvents {
    const slot = this.#chainSlot(lane, chain);
    const index = this.#index;
    const head =
      slot < 0
        ? noChain
        : { segment: index.segment(slot), offset: index.offset(slot), count: index.count(slot) };
    const events = new ChainEvents(this.#window, head, receivedFrom);
    events.readTo(eventsMax);
    return events;
  }
  clear(lane: LaneSlot, chain: Chain): void {
    const slot = this.#chainSlot(lane, chain);
    if (slot < 0 || this.#index.count(slot) === 0) return;
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
    return this.#log.write();
  }
  /** The log, for whoever makes it durable. */
  get log(): SegmentLog {
    return this.#log;
  }

  /**
   * After the mark: a snapshot when one is due; segments that have expired and that the snapshot in force covers are not
   * needed from the next mark on. `marked` resolves when the disk has this one.
   */
  afterMark(position: LogPosition, marked: Promise<unknown>): void {
    const expired = this.#expiredBelow();
    if (this.#keeper.isDue || expired > this.#keeper.position.segment) {
      this.#keeper.begin(position, this.#latest, marked);
    }
    this.#log.needFrom(Math.min(expired, this.#keeper.position.segment));
    for (const segment of this.#latest.keys())
      if (segment < this.#log.segmentMin) this.#latest.delete(segment);
  }

  /** The index as of the end of what was written, with nothing appended since, for a copy of the segments. */
  async writeSnapshot(folder: string, position: LogPosition): Promise<void> {
    const head = { position, latest: [...this.#latest] };
    await TableDraft.write(this.#files, folder, { head, table: this.#index }).keep(Promise.resolve());
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

  /** Negative when the lane has no such chain. */
  #chainSlot(lane: LaneSlot, chain: Chain): number {
    return chain === 'waiting' ? lane : this.#index.find(this.#hashOfQueue(lane));
  }
  #hashOfQueue(lane: LaneSlot): HashWords {
    for (const i of hashWords) this.#queueHash[i] = this.#index.word(lane, i) ^ QUEUE_TWIST;
    return this.#queueHash;
  }

  #control(type: number, flags: number, slot: number): void {
    const at = this.#log.take(CONTROL_BYTES);
    const { view } = this.#log;
    view.setUint32(at, leadOf(type, CONTROL_BYTES), true);
    view.setUint8(at + CONTROL_FLAGS, flags);
    this.#writeHash(view, at + CONTROL_HASH, slot);
  }

  #writeHash(view: DataView, at: number, slot: number): void {
    for (const i of hashWords) view.setUint32(at + WORD_BYTES * i, this.#index.word(slot, i), true);
  }

  /** A segment goes as a whole, so one that reached over many days would keep what has expired for as long. */
  #endSegment(receivedAt: number): void {
    const log = this.#log;
    if (log.segment !== this.#segment || receivedAt - this.#segmentFirst < segmentMsMax) return;
    if (log.offset >= agedSegmentBytesMin) log.roll();
  }

  #noteLatest(segment: number, receivedAt: number): void {
    if (segment === this.#segment && receivedAt <= this.#segmentLatest) return;
    if (segment !== this.#segment) {
      assertState(
        segment - this.#log.segmentMin < liveSegmentsMax,
        `segments are at most ${String(liveSegmentsMax)}`,
      );
      this.#segmentFirst = receivedAt;
    }
    this.#segment = segment;
    this.#segmentLatest = Math.max(receivedAt, this.#latest.get(segment) ?? 0);
    this.#latest.set(segment, this.#segmentLatest);
  }

  /** Folds a block into the index, as appending its records once did. Nothing expires meanwhile: its chain may go on. */
  #replay(block: Buffer, segment: number, offset: number): void {
    const view = new DataView(block.buffer, block.byteOffset, block.length);
    for (let at = 0; at < block.length;) {
      const lead = view.getUint32(at, true);
      const type = typeOf(lead);
      this.#log.records += 1;
      if (type === NEXT) this.#replayNext(view, at, segment, offset + at);
      else {
        const slot = this.#replaySlot(view, at + (type === FIRST ? FIRST_HASH : CONTROL_HASH));
        if (type === FIRST) this.#index.push(slot, segment, offset + at, 1);
        else if (type === FLAGS) this.#index.setFlags(slot, view.getUint8(at + CONTROL_FLAGS));
        else this.#index.clear(slot);
      }
      if (type === FIRST || type === NEXT) this.#noteLatest(segment, timeAt(view, at + RECEIVED_AT));
      at += lengthOf(lead);
    }
  }
  #replayNext(view: DataView, at: number, segment: number, offset: number): void {
    const before = at + NEXT_BEFORE;
    const hash = at + NEXT_HASH;
    const slot = this.#index.findChain(
      { shard: view.getUint8(hash + WORD_BYTES), first: view.getUint32(hash, true) },
      { segment: segmentAt(view, before, segment), offset: offsetAt(view, before) },
    );
    if (slot === undefined) throw this.#log.damaged(segment, offset); // an event goes on with a chain that the index has
    this.#index.push(slot, segment, offset, this.#index.count(slot) + 1);
  }
  #replaySlot(view: DataView, at: number): number {
    for (const i of hashWords) this.#hash[i] = view.getUint32(at + WORD_BYTES * i, true);
    this.#index.makeRoom(1);
    return this.#index.slot(this.#hash);
  }
}

const noChain = { segment: 0, offset: 0, count: 0 };
