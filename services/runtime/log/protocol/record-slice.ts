/**
 * What one fetch brought of one partition: positions of record batches in the answer's frame. Records are decoded in
 * place, one reused object for all: the objects were half the cost of consuming.
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import { assert } from '../../errors.ts';
import type { InputRecord, RecordSlice } from '../ports.ts';

/** A batch whose records are to be seen. */
export interface SliceBatch {
  /** The answer's frame, or the batch's own memory when it was compressed. */
  readonly bytes: Buffer;
  /** First record, and the end of the last. */
  readonly start: number;
  readonly end: number;
  readonly records: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly firstTime: number;
  /** Set when the broker stamped the batch as a whole: every record was appended then. */
  readonly appendTime: number | undefined;
}

export interface SliceContent {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly byteLength: number;
  readonly batches: readonly SliceBatch[];
}

export class FetchedSlice implements RecordSlice {
  readonly topic: TopicId;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
  readonly byteLength: number;
  readonly #batches: readonly SliceBatch[];
  readonly #onRelease: () => void;
  #released = false;

  constructor(content: SliceContent, onRelease: () => void) {
    this.topic = content.topic;
    this.partition = content.partition;
    this.from = content.from;
    this.next = content.next;
    this.byteLength = content.byteLength;
    this.#batches = content.batches;
    this.#onRelease = onRelease;
  }

  forEach(visit: (record: InputRecord) => void, to: number = this.next): void {
    assert(!this.#released, 'a slice is not read after its release');
    const record = emptyRecord(this.topic, this.partition);
    const range = { from: this.from, to };
    for (const batch of this.#batches) {
      if (batch.lastOffset < this.from) continue;
      if (batch.baseOffset >= to) break;
      forEachOfBatch(batch, range, record, visit);
    }
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#onRelease();
  }
}

/** From (included) to (excluded). */
interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

const NOTHING = Buffer.alloc(0);

function emptyRecord(topic: TopicId, partition: number): InputRecord {
  const bytes = NOTHING;
  return {
    topic,
    partition,
    offset: 0,
    appendedAt: 0,
    bytes,
    keyStart: 0,
    keyEnd: 0,
    valueStart: 0,
    valueEnd: 0,
  };
}

/**
 * Record: length, attributes (a byte), time delta, offset delta, key, value, headers; all but attributes zigzag varints.
 * The loops stand here four times over, since a call for each varint costs more than the varint.
 */
function forEachOfBatch(
  batch: SliceBatch,
  { from, to }: OffsetRange,
  record: InputRecord,
  visit: (record: InputRecord) => void,
): void {
  const { bytes, baseOffset, firstTime, appendTime } = batch;
  record.bytes = bytes;
  let at = batch.start;
  for (let left = batch.records; left > 0; left--) {
    let byte = bytes[at++] as number; // every read is within the batch: its CRC was checked
    let value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
    }
    const next = at + (value >>> 1);
    at++;

    if (appendTime === undefined) {
      // 64 bits: a batch that spans more than 12 days has deltas above 2^30.
      byte = bytes[at++] as number;
      let delta = byte & 127;
      for (let scale = 128; byte > 127; scale *= 128) {
        byte = bytes[at++] as number;
        delta += (byte & 127) * scale;
      }
      record.appendedAt = firstTime + (delta % 2 === 0 ? delta / 2 : -(delta + 1) / 2);
    } else {
      record.appendedAt = appendTime;
      while ((bytes[at++] as number) > 127);
    }

    byte = bytes[at++] as number;
    value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
    }
    const offset = baseOffset + (value >>> 1);
    if (offset >= to) return;

    byte = bytes[at++] as number;
    value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
    }
    record.keyStart = at;
    at += (value & 1) === 0 ? value >>> 1 : 0; // an odd number is -1: absent
    record.keyEnd = at;

    byte = bytes[at++] as number;
    value = byte & 127;
    for (let shift = 7; byte > 127; shift += 7) {
      byte = bytes[at++] as number;
      value |= (byte & 127) << shift;
    }
    record.valueStart = at;
    record.valueEnd = at + ((value & 1) === 0 ? value >>> 1 : 0);
    at = next;
    if (offset < from) continue;
    record.offset = offset;
    visit(record);
  }
}
