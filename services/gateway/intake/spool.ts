/**
 * Records that the log cannot take now, on the disk: appended to files that follow one another, read from the first.
 * `append` resolves when the disk has what was appended: those that come while it writes go with its next write.
 *
 *   append ──▶ waiting ──▶ write, fdatasync ──▶ acknowledged ──▶ read ──▶ on the log: `passed` ──▶ file removed
 *                 └ no room, no share ──▶ `spool_full`   └ fails ──▶ `spool_failed`, and the next write begins a new file
 *
 * How far it was read is noted after each step, without a sync: after a power failure a step or more is sent once more,
 * which lanes recognise by its message ids.
 */
import { join } from 'node:path';
import type { Workspace } from '../../../schemas/ids.ts';
import type { TakenRecord } from '../../runtime/taken-records.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { StoreFiles } from '../../runtime/store/files.ts';
import { frameBytesOf, writeFrames } from './frames.ts';
import { notePosition, positionIn } from './position.ts';
import { Shares } from './shares.ts';
import { SpoolFile } from './spool-file.ts';

export interface SpoolOptions {
  readonly files: StoreFiles;
  readonly folder: string;
  /** Of all files. */
  readonly bytesMax: number;
  /** A workspace may hold so much of it, 0 to 1. */
  readonly workspaceShare: number;
  /** Nothing is added while the oldest file is older than that. */
  readonly holdMsMax: number;
  /** ms since 1970. */
  readonly now: () => number;
  readonly logger: Logger;
}

interface Waiting {
  readonly records: readonly TakenRecord[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Records that follow one another, and where they end. */
export interface SpoolStep {
  readonly records: readonly TakenRecord[];
  readonly file: SpoolFile;
  readonly next: number;
}

const FILE_BYTES = 16 << 20;
/** So small a spool still has some files to remove one after the other. */
const FILES_MIN = 8;
const GROUP_BYTES_MAX = 4 << 20;
const NAME = /^(\d{10})\.spool$/;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #shares: Shares;
  readonly #files: SpoolFile[] = [];
  /** The last of them, while it may be written to. */
  #tail: SpoolFile | undefined;
  #number = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  /** Of frames that were acknowledged and could not be read, since the start. */
  lostBytes = 0;

  constructor(options: SpoolOptions) {
    this.#options = options;
    const { bytesMax, workspaceShare } = options;
    this.#shares = new Shares({ max: bytesMax, workspaceMax: bytesMax * workspaceShare });
  }

  /** With what is there of before. */
  static open(options: SpoolOptions): Spool {
    const spool = new Spool(options);
    options.files.makeFolder(options.folder);
    spool.#find();
    return spool;
  }

  /** Not on the log yet, bytes. */
  get heldBytes(): number {
    return this.#shares.held;
  }
  /** Of all files, and of what waits to be written. */
  get diskBytes(): number {
    return this.#files.reduce((sum, { end }) => sum + end, this.#waitingBytes);
  }
  get bytesMax(): number {
    return this.#options.bytesMax;
  }
  /** When the oldest file was made, ms since 1970. */
  get since(): number | undefined {
    return this.#files[0]?.head.madeAt;
  }
  /** Nothing is held, and nothing waits to be. */
  get isEmpty(): boolean {
    return (
      this.#waiting.length === 0 && this.#writing === undefined && !this.#files.some((file) => file.hasMore)
    );
  }
  /** Why it would take nothing of this workspace. */
  refusal(workspace: Workspace, bytes: number): CodedError | undefined {
    const { bytesMax, holdMsMax, now } = this.#options;
    const lack = this.#shares.lacks(workspace, bytes);
    if (lack === 'room' || this.diskBytes + bytes > bytesMax)
      return full(`it holds ${String(bytesMax)} bytes`);
    if (lack === 'share') return full('one workspace holds all that it may', 'spool_share_full');
    return now() - (this.since ?? Infinity) > holdMsMax ? full('it has held events for too long') : undefined;
  }

  /** Resolves when the disk has them. @throws CodedError `spool_full`, `spool_share_full`, `spool_failed`. */
  append(records: readonly TakenRecord[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return Promise.resolve();
    const bytes = records.reduce((sum, record) => sum + frameBytesOf(record), 0);
    const refusal = this.refusal(first.workspace, bytes);
    if (refusal !== undefined) return Promise.reject(refusal);
    for (const record of records) this.#shares.take(record.workspace, frameBytesOf(record));
    this.#waitingBytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, bytes, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** The next records that are not on the log, about so many bytes; undefined when the disk has none. */
  read(bytesMax: number): SpoolStep | undefined {
    const file = this.#files.find((each) => each.hasMore);
    if (file === undefined) return undefined;
    const { records, next, lost } = file.read(bytesMax);
    if (lost > 0) this.#sayLost(file, lost);
    return { records, file, next };
  }

  /** These are on the log. */
  passed({ records, file, next }: SpoolStep): void {
    for (const record of records) this.#shares.giveBack(record.workspace, frameBytesOf(record));
    file.at = next;
    notePosition(this.#options.files, this.#options.folder, file);
    while (this.#files[0] !== undefined && this.#files[0] !== this.#tail && !this.#files[0].hasMore) {
      this.#remove(this.#files[0]);
    }
  }

  /** Removes what has been read to its end: all of it, when it is empty. */
  clear(): void {
    if (!this.isEmpty) return;
    this.#tail = undefined;
    for (const file of [...this.#files]) this.#remove(file);
    this.#shares.clear(); // what could not be read was counted, too
  }

  /** Resolves when what waits now has been written, or could not be. */
  async written(): Promise<void> {
    await this.#writing;
  }
  async close(): Promise<void> {
    await this.#writing;
    for (const file of this.#files) file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#writeGroup(group);
        for (const { resolve } of group) resolve();
      } catch (cause) {
        this.#failed(group, cause);
      }
    }
    this.#writing = undefined; // at once: who appends behind a turn of its own would wait for a write that has ended
  }

  #nextGroup(): Waiting[] {
    let [count, bytes] = [0, 0];
    for (const each of this.#waiting) {
      if (count > 0 && bytes + each.bytes > GROUP_BYTES_MAX) break;
      bytes += each.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeGroup(group: readonly Waiting[]): Promise<void> {
    const { files, folder, bytesMax } = this.#options;
    const isNew = this.#tail === undefined;
    const tail = (this.#tail ??= this.#newFile());
    const records = group.flatMap((each) => each.records);
    const bytes = group.reduce((sum, each) => sum + each.bytes, 0);
    const isLast = tail.end + bytes >= Math.min(FILE_BYTES, bytesMax / FILES_MIN);
    const written = writeFrames(records, { file: tail.number, offset: tail.end }, isLast);
    tail.write(written);
    await tail.sync();
    if (isNew) files.syncFolder(folder);
    tail.end += written.length;
    this.#waitingBytes -= bytes;
    if (isLast) this.#tail = undefined;
  }

  #newFile(): SpoolFile {
    const { files, folder, now } = this.#options;
    this.#number += 1;
    const name = `${String(this.#number).padStart(10, '0')}.spool`;
    const file = SpoolFile.make(files, join(folder, name), this.#number, now());
    this.#files.push(file);
    return file;
  }

  /** Nobody is told that these are kept. A disk that failed once is not trusted with the end of that file again. */
  #failed(group: readonly Waiting[], cause: unknown): void {
    const tail = this.#tail;
    this.#tail = undefined;
    tail?.cutBack();
    if (tail !== undefined && !tail.hasMore) this.#remove(tail);
    const error = new CodedError('spool_failed', `could not keep events on the disk: ${String(cause)}`, {
      cause,
    });
    for (const { records, bytes, reject } of group) {
      this.#waitingBytes -= bytes;
      for (const record of records) this.#shares.giveBack(record.workspace, frameBytesOf(record));
      reject(error);
    }
  }

  #remove(file: SpoolFile): void {
    const { files } = this.#options;
    this.#files.splice(this.#files.indexOf(file), 1);
    file.close();
    if (file.isDamaged) files.rename(file.path, `${file.path}.damaged`);
    else files.remove(file.path);
  }

  #find(): void {
    const { files, folder, logger } = this.#options;
    const position = positionIn(files, folder);
    const numbers = files.list(folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    for (const number of numbers.toSorted()) {
      const path = join(folder, `${number}.spool`);
      this.#number = Number(number);
      const opened = SpoolFile.open(files, path, this.#number);
      if (opened === undefined) {
        files.remove(path);
        continue;
      }
      const { file, lostBytes, tornBytes } = opened;
      this.#files.push(file);
      if (position?.isIn(file) === true) file.at = position.offset;
      if (lostBytes > 0) this.#sayLost(file, lostBytes);
      if (tornBytes > 0)
        logger.info({ file: path, bytes: tornBytes }, 'a write that did not end is left out');
      this.#count(file);
    }
    for (const file of [...this.#files]) if (!file.hasMore) this.#remove(file);
  }

  /** Whose it is. */
  #count(file: SpoolFile): void {
    const start = file.at;
    while (file.hasMore) {
      const { records, next } = file.read(GROUP_BYTES_MAX);
      for (const record of records) this.#shares.take(record.workspace, frameBytesOf(record));
      file.at = next;
    }
    file.at = start;
  }

  #sayLost(file: SpoolFile, bytes: number): void {
    this.lostBytes += bytes;
    const what = { code: 'spool_damaged', file: `${file.path}.damaged`, bytes };
    this.#options.logger.error(what, 'events that were acknowledged cannot be read from the disk');
  }
}

function full(why: string, code: 'spool_full' | 'spool_share_full' = 'spool_full'): CodedError {
  return new CodedError(code, `could not take events: the log does not answer, and of its spool: ${why}`);
}
