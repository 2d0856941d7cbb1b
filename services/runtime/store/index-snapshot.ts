/** The lane index as of a position in the log, in one file with a checksum, written beside and renamed over. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from '@node-rs/crc32';
import { CodedError } from '../errors.ts';
import { LaneIndex } from './lane-index.ts';
import { logStart, type LogPosition } from './segment-log.ts';

export const SNAPSHOT_FILE = 'index.snapshot';
const HEAD_BYTES = 8;

interface Head {
  readonly position: LogPosition;
  readonly latest: readonly (readonly [segment: number, receivedAt: number])[];
}

export class IndexSnapshot {
  readonly index: LaneIndex;
  readonly position: LogPosition;
  readonly latest: ReadonlyMap<number, number>;

  constructor(index: LaneIndex, position: LogPosition, latest: ReadonlyMap<number, number>) {
    this.index = index;
    this.position = position;
    this.latest = latest;
  }

  /** The snapshot in the folder, or an empty one at the log's start. Throws when it lies past `end` or is damaged. */
  static read(folder: string, end: LogPosition): IndexSnapshot {
    const path = join(folder, SNAPSHOT_FILE);
    if (!existsSync(path)) return new IndexSnapshot(new LaneIndex(), logStart, new Map());
    const bytes = readFileSync(path);
    const headBytes = bytes.length < HEAD_BYTES ? -1 : bytes.readUInt32LE(0);
    if (headBytes < 0 || crc32c(bytes.subarray(HEAD_BYTES)) >>> 0 !== bytes.readUInt32LE(4)) {
      throw new CodedError('store_damaged', `could not read ${path}: its checksum is wrong`);
    }
    const head = JSON.parse(bytes.toString('utf8', HEAD_BYTES, HEAD_BYTES + headBytes)) as Head; // our own, under a checksum
    const { position } = head;
    if (
      position.segment > end.segment ||
      (position.segment === end.segment && position.offset > end.offset)
    ) {
      throw new CodedError('store_behind', `could not open ${folder}: its index is newer than its mark`);
    }
    const table = Uint8Array.prototype.slice.call(bytes, HEAD_BYTES + headBytes); // copied, so that words are aligned
    return new IndexSnapshot(new LaneIndex(new Uint32Array(table.buffer)), position, new Map(head.latest));
  }

  write(folder: string): void {
    const head: Head = { position: this.position, latest: [...this.latest] };
    const headBytes = Buffer.from(JSON.stringify(head));
    const body = Buffer.concat([headBytes, this.index.bytes]);
    const lead = Buffer.alloc(HEAD_BYTES);
    lead.writeUInt32LE(headBytes.length, 0);
    lead.writeUInt32LE(crc32c(body) >>> 0, 4);
    const path = join(folder, SNAPSHOT_FILE);
    writeFileSync(`${path}.new`, Buffer.concat([lead, body]), { flush: true });
    renameSync(`${path}.new`, path);
  }
}
