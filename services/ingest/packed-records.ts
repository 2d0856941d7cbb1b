/**
 * The records of a call, their keys and values one behind the other in one piece of memory: a piece for each, and a copy of
 * each, would cost more than writing them does.
 */
import { putAscii } from '../../schemas/quick-text.ts';
import type { Codec, RecordName } from '../../schemas/codec.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { Records } from '../../schemas/records.ts';
import { assert } from '../runtime/errors.ts';
import { TakenRecords, type TakenTopic } from '../runtime/taken-records.ts';

export interface Unpacked<Name extends RecordName> {
  readonly topic: TakenTopic;
  /** The same for all of a call. */
  readonly workspace: Workspace;
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
  #packed: TakenRecords | undefined;
  /** Of what waits for its piece, which begins where this does. */
  #end = 0;

  add<Name extends RecordName>(record: Unpacked<Name>): void {
    const { topic, workspace, key, codec, value } = record;
    this.#packed ??= new TakenRecords(workspace);
    assert(this.#packed.workspace === workspace, 'the records of a call are of one workspace');
    enlarge(this.#end + key.length * UTF8_BYTES_MAX, this.#end);
    const keyEnd = putKey(key, this.#end);
    let end = codec.encodeAt(value, scratch, keyEnd);
    while (end < 0) {
      enlarge(scratch.length - end, keyEnd);
      end = codec.encodeAt(value, scratch, keyEnd);
    }
    this.#packed.add(topic, this.#end, keyEnd, end);
    this.#end = end;
    if (end > PIECE_BYTES) this.#pack();
  }

  /** undefined: there are none. */
  finish(): TakenRecords | undefined {
    this.#pack();
    return this.#packed;
  }

  #pack(): void {
    if (this.#packed === undefined || this.#end === 0) return;
    const bytes = Buffer.allocUnsafe(this.#end);
    scratch.copy(bytes, 0, 0, this.#end);
    this.#packed.addPiece(bytes);
    this.#end = 0;
  }
}

/** Keys are short and mostly ASCII, and a call into native code costs more than that. @returns where it ends. */
function putKey(key: string, start: number): number {
  return putAscii(key, scratch, start) ?? start + scratch.write(key, start);
}

/** To so many bytes at least; those up to `used` are kept. */
function enlarge(bytesMin: number, used: number): void {
  if (bytesMin <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * bytesMin);
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
}
