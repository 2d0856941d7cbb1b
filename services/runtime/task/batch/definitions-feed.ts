/**
 * The definitions of a task. New ones are queued as they are read and taken at the start of a batch only; the batch's
 * journal record says up to which offset, so that a replay sees the same definitions in every batch.
 */
import type { Codec } from '../../../../schemas/codec.ts';
import { UnknownSchemaError } from '../../../../schemas/codec.ts';
import type { Definition } from '../../../../schemas/records.ts';
import { Definitions, type DefinitionsView } from '../../definitions.ts';
import { CodedError } from '../../errors.ts';
import type { RecordSlice } from '../../log/ports.ts';
import { scan, type ScanPorts } from './log-scan.ts';

interface Queued {
  readonly offset: number;
  readonly record: Definition;
}

/** Definitions are written by people; a log with more of them is not one that we wrote. */
const QUEUED_DEFINITIONS_MAX = 1_000_000;

export class DefinitionsFeed {
  readonly #codec: Codec<'Definition'>;
  readonly #definitions = new Definitions();
  readonly #queue: Queued[] = [];
  #taken = 0;
  /** Next offset to be read. */
  next = 0;

  constructor(codec: Codec<'Definition'>) {
    this.#codec = codec;
  }

  get view(): DefinitionsView {
    return this.#definitions;
  }

  get pending(): boolean {
    return this.#taken < this.#queue.length;
  }

  /** Reads the topic from its start to its present end. */
  async load(ports: ScanPorts): Promise<void> {
    const [start = 0] = await ports.log.admin.startOffsets('definitions');
    const [end = 0] = await ports.log.admin.endOffsets('definitions');
    this.next = start;
    for await (const slice of scan(ports, [{ topic: 'definitions', partition: 0, from: start, to: end }])) {
      this.push(slice);
    }
  }

  push(slice: RecordSlice): void {
    slice.forEach((record) => {
      const definition = this.#decode(record.bytes, record.valueStart, record.valueEnd);
      if (definition !== undefined) this.#queue.push({ offset: record.offset, record: definition });
    });
    this.next = slice.next;
    if (this.#queue.length - this.#taken > QUEUED_DEFINITIONS_MAX) {
      throw new CodedError('definitions_too_many', 'could not hold the definitions: there are too many');
    }
  }

  /** Takes those below the offset, as a journaled batch had them. @throws CodedError `definitions_lost`. */
  takeBelow(offset: number): void {
    this.#take(offset);
    if (this.#definitions.offset !== offset) {
      throw new CodedError(
        'definitions_lost',
        `could not see definitions as of offset ${String(offset)}: the topic gives ${String(this.#definitions.offset)}`,
      );
    }
  }

  /** Takes everything that has been read. */
  takeAll(): void {
    this.#take(Infinity);
  }

  #take(below: number): void {
    for (let next = this.#queue[this.#taken]; next !== undefined && next.offset < below;) {
      this.#definitions.apply(next.offset, next.record);
      this.#taken += 1;
      next = this.#queue[this.#taken];
    }
    if (this.#taken === this.#queue.length) {
      this.#queue.length = 0;
      this.#taken = 0;
    }
  }

  /** What cannot be read was not written by the product; it is passed over, the same way in every replay. */
  #decode(bytes: Buffer, start: number, end: number): Definition | undefined {
    try {
      return this.#codec.decode(bytes, start, end);
    } catch (error) {
      if (error instanceof UnknownSchemaError) throw error;
      return undefined;
    }
  }
}
