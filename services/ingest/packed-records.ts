/**
 * The records of a call, their keys and values one behind the other in one piece of memory: a piece for each, and a copy of
 * each, would cost more than writing them does.
 */
import type { Codec, RecordName } from '../../schemas/codec.ts';
import type { Records } from '../../schemas/records.ts';
import type { TakenRecord } from './ports.ts';

export interface Unpacked<Name extends RecordName> extends Pick<TakenRecord, 'topic' | 'workspace'> {
  readonly key: string;
  readonly codec: Pick<Codec<Name>, 'encodeAt'>;
  readonly value: Records[Name];
}

/** Where all of them are written first, so nothing is awaited between the first `add` and `finish`. */
let scratch: Buffer = Buffer.allocUnsafeSlow(64 << 10);
/** Of one piece, so that what is written first to has a bound: this and one record. */
const PIECE_BYTES = 256 << 10;
const UTF8_BYTES_MAX = 3;

export class PackedRecords {
  readonly #packed: TakenRecord[] = [];
  readonly #waiting: Pick<TakenRecord, 'topic' | 'workspace'>[] = [];
  /** Of each that waits: where its value begins, and where it ends. */
  readonly #places: number[] = [];
  #end = 0;

  add<Name extends RecordName>(record: Unpacked<Name>): void {
    const { key, codec, value } = record;
    enlarge(this.#end + key.length * UTF8_BYTES_MAX, this.#end);
    const start = this.#end + scratch.write(key, this.#end);
    let end = codec.encodeAt(value, scratch, start);
    while (end < 0) {
      enlarge(scratch.length - end, start);
      end = codec.encodeAt(value, scratch, start);
    }
    this.#end = end;
    this.#waiting.push(record);
    this.#places.push(start, end);
    if (end > PIECE_BYTES) this.#pack();
  }

  finish(): readonly TakenRecord[] {
    this.#pack();
    return this.#packed;
  }

  #pack(): void {
    const bytes = Buffer.allocUnsafe(this.#end);
    scratch.copy(bytes, 0, 0, this.#end);
    let from = 0;
    this.#waiting.forEach(({ topic, workspace }, index) => {
      const [start = 0, end = 0] = [this.#places[2 * index], this.#places[2 * index + 1]];
      const [key, value] = [bytes.subarray(from, start), bytes.subarray(start, end)];
      this.#packed.push({ topic, workspace, key, value });
      from = end;
    });
    this.#waiting.length = 0;
    this.#places.length = 0;
    this.#end = 0;
  }
}

/** To so many bytes at least; those up to `used` are kept. */
function enlarge(bytesMin: number, used: number): void {
  if (bytesMin <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * bytesMin);
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
}
