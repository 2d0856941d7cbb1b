/** Reads a segment from a block's start to its end, with every checksum looked at. */
import { BlockWalk } from './blocks.ts';
import type { CodedError } from '../../errors.ts';
import type { LogPosition } from './log-position.ts';
import { readFully, type OpenFile } from './write-fully.ts';

/** Read in one go: several blocks. */
const SCAN_BYTES = 8 << 20;

/** With the bytes of each block; they are reused. */
export type BlockVisit = (block: Buffer, segment: number, offset: number) => void;

export interface ScannedSegment {
  readonly file: OpenFile;
  readonly bytes: number;
  /** Nothing was gone on from it, so it has no end mark. */
  readonly isNewest: boolean;
  readonly damaged: (segment: number, offset: number) => CodedError;
}

export class SegmentScan {
  readonly #window = Buffer.allocUnsafeSlow(SCAN_BYTES);
  readonly #walk = new BlockWalk();

  /** @throws what `damaged` makes, at a block that is not what was written. */
  read({ file, bytes: size, isNewest, damaged }: ScannedSegment, from: LogPosition, visit: BlockVisit): void {
    const { segment } = from;
    const walk = this.#walk;
    for (let { offset } = from; offset < size;) {
      const bytes = this.#window.subarray(0, Math.min(this.#window.length, size - offset));
      const { length } = bytes;
      if (readFully(file, bytes, offset) < length) throw damaged(segment, offset);
      const stretch = {
        bytes,
        view: new DataView(bytes.buffer, bytes.byteOffset, length),
        length,
        segment,
        offset,
      };
      let at = 0;
      while (at < length) {
        const step = walk.step(stretch, at);
        if (step === 'damaged' || (step === 'end' && isNewest)) throw damaged(segment, offset + at);
        if (step === 'end') return;
        if (step === 'short') break;
        if (step === 'block') {
          visit(bytes.subarray(walk.bodyStart, walk.bodyEnd), segment, offset + walk.bodyStart);
        }
        at = walk.next;
      }
      // The window is larger than a block, so one that does not end in it has no end.
      if (at === 0) throw damaged(segment, offset);
      offset += at;
    }
    // One that was gone on from has an end, so that it cannot be shorter without a sign.
    if (!isNewest) throw damaged(segment, size);
  }
}
