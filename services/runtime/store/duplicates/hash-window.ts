/**
 * The duplicates check: 64-bit hashes with the hour in which they were added. One probe answers, no store is read.
 * New hashes are appended to a log of their own, and the table is written as a snapshot now and then; a log that is older
 * than the snapshot goes.
 *
 * Record: u32 hash high | u32 hash low; with a high of all ones, which no hash has, the low is the hour of what follows.
 * A block begins with one of these.
 * Entry of the table: hash low | hash high but for its last byte, which is the shard, and in its place the hour's code.
 */
import type { LogDisk, StoreFiles } from '../files.ts';
import { LiveHours, type HoursShape } from './live-hours.ts';
import type { HashWindow } from '../ports.ts';
import type { LogPosition } from '../segments/log-position.ts';
import { logStart, SegmentLog, type LogMark } from '../segments/segment-log.ts';
import { CHUNK_ENTRIES_LOG, CHUNK_MASK, SpreadTable, type TableShape } from '../tables/spread-table.ts';
import { TableKeeper } from '../tables/table-keeper.ts';
import { readTable, TableDraft, type MemoryTable } from '../tables/table-snapshot.ts';

const HOUR_MS = 3_600_000;
const RECORD_BYTES = 8;
const HOUR_FOLLOWS = 0xffff_ffff;
const WORDS = 2;
const CODE_MASK = 0xff;

export interface HashWindowOptions {
  readonly windowMs: number;
  /** An event may be so much older than the newest. */
  readonly lateMs: number;
  /** Above it the oldest hours are forgotten early; `forgottenEarly` counts them. */
  readonly entriesMax: number;
}

const noTimes: ReadonlyMap<number, number> = new Map();

export class SegmentHashWindow implements HashWindow, MemoryTable<WindowShape> {
  readonly #files: StoreFiles;
  readonly #log: SegmentLog;
  readonly #keeper: TableKeeper;
  readonly #windowHours: number;
  readonly #table = new SpreadTable(WORDS);
  readonly #hours: LiveHours;
  /** What the log said last. */
  #loggedHour = NaN;

  private constructor(
    disk: LogDisk,
    folder: string,
    end: LogMark,
    { windowMs, lateMs, entriesMax }: HashWindowOptions,
  ) {
    this.#files = disk.files;
    const log = (this.#log = SegmentLog.open(disk, folder, end));
    this.#windowHours = Math.ceil(windowMs / HOUR_MS);
    // A repeat that is as late as can be finds what was added a whole window before it, and both hours have begun.
    this.#hours = new LiveHours(this.#windowHours + Math.ceil(lateMs / HOUR_MS) + 1, entriesMax);
    try {
      const position = readTable(disk.files, folder, end, this)?.position ?? logStart;
      log.assertHas(position);
      this.#keeper = new TableKeeper(disk, folder, log, this, position);
      log.scan(position, (block) => {
        this.#replay(block);
      });
    } catch (error) {
      log.close();
      throw error;
    }
  }

  static open(disk: LogDisk, folder: string, end: LogMark, options: HashWindowOptions): SegmentHashWindow {
    return new SegmentHashWindow(disk, folder, end, options);
  }

  seen(hashHigh: number, hashLow: number, receivedAt: number): boolean {
    const high = Math.min(hashHigh >>> 0, HOUR_FOLLOWS - 1);
    const low = hashLow >>> 0;
    const hour = Math.floor(receivedAt / HOUR_MS);
    const entry = this.#find(high, low);
    // Hours are whole, so a repeat is caught for at least the window and for less than an hour more.
    if (Math.abs(hour - this.#hours.hourOf(this.#codeAt(entry))) <= this.#windowHours) return true;
    this.#put(entry, high, low, hour);
    this.#logPut(high, low, hour);
    return false;
  }

  get entries(): number {
    return this.#hours.hashes;
  }
  get forgottenEarly(): number {
    return this.#hours.forgottenEarly;
  }

  /** How much was ever appended, written or not, as text to compare. */
  get tail(): string {
    return this.#log.tail;
  }
  /** Writes the buffer out; a snapshot that is due is to begin a segment, so that all before it can go. */
  write(): LogPosition {
    return this.#keeper.isDue ? this.#log.roll() : this.#log.write();
  }
  /** The log, for whoever makes it durable. */
  get log(): SegmentLog {
    return this.#log;
  }
  /** After the mark, as the event store does. */
  afterMark(position: LogPosition, marked: Promise<unknown>): void {
    if (this.#keeper.isDue) this.#keeper.begin(position, noTimes, marked);
    this.#log.needFrom(this.#keeper.position.segment);
  }
  /** The table as of the end of what was written, for a copy of the segments. */
  async writeSnapshot(folder: string, position: LogPosition): Promise<void> {
    const head = { position, latest: [] };
    await TableDraft.write(this.#files, folder, { head, table: this }).keep(Promise.resolve());
  }
  close(): void {
    this.#keeper.close();
    this.#log.close();
  }

  get used(): number {
    return this.#table.used;
  }
  get memory(): readonly Uint32Array[] {
    return this.#table.chunks;
  }
  get shape(): WindowShape {
    return { ...this.#table.shape, hours: this.#hours.shape };
  }
  reshape(shape: WindowShape): void {
    this.#table.reshape(shape);
    this.#hours.reshape(shape.hours);
  }

  #replay(block: Buffer): void {
    let hour = NaN;
    for (let at = 0; at < block.length; at += RECORD_BYTES) {
      const [high, low] = [block.readUInt32LE(at), block.readUInt32LE(at + 4)];
      if (high === HOUR_FOLLOWS) hour = low;
      else this.#put(this.#find(high, low), high, low, hour);
      this.#log.records += 1;
    }
  }

  /** Puts the hash at its place, as `#find` gave it; room for the next is made here, so the place is valid only now. */
  #put(found: number, high: number, low: number, hour: number): void {
    const hours = this.#hours;
    const code = hours.add(hour, this.#codeAt(found));
    if (code === 0) return;
    const table = this.#table;
    const entry = found < 0 ? ~found : found;
    const chunk = this.#chunk(entry);
    const x = (entry & CHUNK_MASK) * WORDS;
    if (chunk[x + 1] === 0) table.added(high & CODE_MASK);
    chunk[x] = low;
    chunk[x + 1] = (high & ~CODE_MASK) | code;
    if (table.hasRoom(1) && !hours.areCodesScarce) return;
    table.makeRoom(hours.hashes, (words, at) => hours.isLive((words[at + 1] as number) & CODE_MASK));
    hours.swept();
  }

  /** The entry of the hash, or the complement of where it goes: in place of one that is forgotten, or the first free. */
  #find(high: number, low: number): number {
    const { room, chunks } = this.#table;
    const shard = high & CODE_MASK;
    const end = (shard + 1) * room;
    let forgotten = -1;
    for (let entry = this.#table.home(shard, low); ; entry = entry + 1 === end ? end - room : entry + 1) {
      const chunk = chunks[entry >>> CHUNK_ENTRIES_LOG] as Uint32Array; // an entry lies in a chunk
      const x = (entry & CHUNK_MASK) * WORDS;
      const second = chunk[x + 1] as number;
      if (second === 0) return forgotten < 0 ? ~entry : ~forgotten;
      if (chunk[x] === low && (second ^ high) >>> 8 === 0) return entry;
      if (forgotten < 0 && !this.#hours.isLive(second & CODE_MASK)) forgotten = entry;
    }
  }

  #codeAt(found: number): number {
    if (found < 0) return 0;
    return (this.#chunk(found)[(found & CHUNK_MASK) * WORDS + 1] as number) & CODE_MASK;
  }
  #chunk(entry: number): Uint32Array {
    return this.#table.chunks[entry >>> CHUNK_ENTRIES_LOG] as Uint32Array; // an entry lies in a chunk
  }

  #logPut(high: number, low: number, hour: number): void {
    const log = this.#log;
    let at = log.take(RECORD_BYTES);
    while (hour !== this.#loggedHour || log.beginsBlock(at)) {
      log.view.setUint32(at, HOUR_FOLLOWS, true);
      log.view.setUint32(at + 4, hour, true);
      this.#loggedHour = hour;
      at = log.take(RECORD_BYTES);
    }
    log.view.setUint32(at, high, true);
    log.view.setUint32(at + 4, low, true);
  }
}

interface WindowShape extends TableShape {
  readonly hours: HoursShape;
}
