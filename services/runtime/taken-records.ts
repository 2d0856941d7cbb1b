/**
 * What calls have become, as it lies in memory: a key and its value behind it, and of a call all of them in few pieces. As
 * long as a call waits to be kept it holds these, and numbers that say where each lies; no object for each.
 */
import type { Workspace } from '../../schemas/ids.ts';
import type { TopicId } from '../../schemas/topics.ts';
import { assert } from './errors.ts';
import type { Posted } from './log/ports.ts';

export type TakenTopic = Extract<TopicId, 'eventsCollected' | 'eventsDropped'>;

export class TakenRecord implements Posted {
  readonly topic: TakenTopic;
  readonly workspace: Workspace;
  readonly bytes: Buffer;
  readonly start: number;
  readonly keyEnd: number;
  readonly end: number;

  constructor(
    { topic, workspace }: { readonly topic: TakenTopic; readonly workspace: Workspace },
    { bytes, start, keyEnd, end }: Posted,
  ) {
    this.topic = topic;
    this.workspace = workspace;
    this.bytes = bytes;
    this.start = start;
    this.keyEnd = keyEnd;
    this.end = end;
  }

  /** Of key and value. */
  get length(): number {
    return this.end - this.start;
  }
  get key(): Buffer {
    return this.bytes.subarray(this.start, this.keyEnd);
  }
  get value(): Buffer {
    return this.bytes.subarray(this.keyEnd, this.end);
  }
}

/** Numbers of a record: its piece, where it begins, where its key ends, and where it ends. */
const [PIECE, START, KEY_END, END, NUMBERS] = [0, 1, 2, 3, 4];

/** Of one call and one workspace, in their order. */
export class TakenRecords {
  readonly workspace: Workspace;
  readonly #topics: TakenTopic[] = [];
  readonly #pieces: Buffer[] = [];
  readonly #places: number[] = [];
  #bytes = 0;

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** Of one record, its key and its value copied. */
  static of(
    record: { readonly topic: TakenTopic; readonly workspace: Workspace },
    key: Uint8Array,
    value: Uint8Array,
  ): TakenRecords {
    const records = new TakenRecords(record.workspace);
    records.add(record.topic, 0, key.length, key.length + value.length);
    records.addPiece(Buffer.concat([key, value]));
    return records;
  }

  /** What was added since the piece before lies in it. */
  addPiece(bytes: Buffer): void {
    this.#pieces.push(bytes);
  }
  add(topic: TakenTopic, start: number, keyEnd: number, end: number): void {
    this.#topics.push(topic);
    this.#places.push(this.#pieces.length, start, keyEnd, end);
    this.#bytes += end - start;
  }

  get count(): number {
    return this.#topics.length;
  }
  /** Of keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  at(index: number): TakenRecord {
    const [topic, places] = [this.#topics[index], this.#places];
    const from = index * NUMBERS;
    const bytes = this.#pieces[places[from + PIECE] ?? -1];
    assert(topic !== undefined && bytes !== undefined, 'there are so many records');
    const [start = 0, keyEnd = 0, end = 0] = [
      places[from + START],
      places[from + KEY_END],
      places[from + END],
    ];
    return new TakenRecord({ topic, workspace: this.workspace }, { bytes, start, keyEnd, end });
  }
}
