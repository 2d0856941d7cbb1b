/** One partition of a task: its stores, its processor, and what happens to a record that cannot be read or handled. */
import { UnknownSchemaError, type Codecs, type RecordName } from '../../../schemas/codec.ts';
import { topics } from '../../../schemas/topics.ts';
import { CodedError, UnusableRecord, assertState } from '../errors.ts';
import type { InputRecord } from '../log/ports.ts';
import type { PartitionStores } from '../store/ports.ts';
import { deadLetterOf, droppedOf, letterKeyBytesMax, type Failure } from './batch/dead-letter.ts';
import {
  FailedRecords,
  RecordFault,
  faultOf,
  journaled,
  type FailedPlace,
  type JournaledFailure,
} from './batch/failed-records.ts';
import type { DefinitionsView } from '../definitions.ts';
import { disorderMs } from './loop/watermarks.ts';
import type { BatchContext, Emitter, Kept, Processor, ServiceSpec } from './ports.ts';
import { FairShare, type Handling, type Waiting } from './share/fair-share.ts';

export interface PartitionParts {
  readonly partition: number;
  readonly partitions: number;
  readonly stores: PartitionStores;
  readonly codecs: Codecs;
  /** Schema ids that the registry does not know either; values that name them are undecodable. */
  readonly unknowable: ReadonlySet<number>;
}

const none = new FailedRecords();
const noneResting: readonly string[] = [];
/** Why a record is put aside untried. */
const untried: Failure = {
  step: 'handle',
  code: 'workspace_rests',
  message: 'not tried: too many records of its workspace fail, and as many as may wait do so already',
};

export class PartitionRunner {
  readonly partition: number;
  readonly stores: PartitionStores;
  readonly #spec: ServiceSpec;
  readonly #parts: PartitionParts;
  #processor: Processor;
  #share: FairShare | undefined;
  /** Of committed batches and of the open one, unusable ones included. */
  deadLetters = 0;
  /** Which are to be put aside; of a replayed batch, as its journal record says. */
  failed = none;
  #open: JournaledFailure[] = [];
  /** Letters beside those: values that cannot be read, and what was not tried. They speak for themselves in a replay. */
  #unnamed = 0;
  /** Of those of the open batch, letters of no workspace. */
  #unowned = 0;
  /** The batch that was seen last, as this partition's processor is told of it. */
  #batch: BatchContext | undefined;
  #context: BatchContext | undefined;
  #out: Emitter | undefined;
  readonly #handling: Handling = {
    handle: (record) => {
      this.#handle(record);
    },
    refuse: (record) => {
      this.#refuse(record);
    },
  };

  constructor(spec: ServiceSpec, parts: PartitionParts) {
    const { partition, partitions, stores, codecs } = parts;
    this.partition = partition;
    this.stores = stores;
    this.#spec = spec;
    this.#parts = parts;
    this.#processor = spec.open(partition, partitions, stores, codecs);
    this.#share = this.#openShare();
  }

  get processor(): Processor {
    return this.#processor;
  }

  /** Records that have been read and wait for their workspace's share. */
  get waiting(): Waiting | undefined {
    return this.#share?.waiting;
  }

  /**
   * What has been read and has not had its whole effect; see Processor.pendingSince. What waits counts by its mark, which
   * then is its receive time: those behind it may have been received a little before it, as anywhere on the log.
   */
  pendingSince(): { readonly offset: number; readonly receivedAt: number } | undefined {
    const pending = this.#processor.pendingSince();
    const oldest = this.#share?.oldestOf(this.#spec.inputs[0]);
    if (oldest === undefined) return pending;
    return {
      offset: Math.min(oldest.offset, pending?.offset ?? Infinity),
      receivedAt: Math.min(oldest.mark - disorderMs, pending?.receivedAt ?? Infinity),
    };
  }

  /** Of each workspace of which something has been read and has not had its whole effect: the lowest receive time, ms. */
  receivedFrom(): ReadonlyMap<string, number> {
    const from = new Map(this.#processor.receivedFrom?.());
    for (const [workspace, mark] of this.#share?.oldestMarks(this.#spec.inputs[0]) ?? []) {
      from.set(workspace, Math.min(mark - disorderMs, from.get(workspace) ?? Infinity));
    }
    return from;
  }

  /** Would the end of a batch do anything now, without further input? */
  wantsBatch(time: number, definitions: DefinitionsView): boolean {
    return this.#share?.wantsBatch(time) === true || this.#processor.wantsBatch(time, definitions);
  }

  /** Workspaces whose records fail too often: the rest of them wait. */
  get resting(): readonly string[] {
    return this.#share?.resting ?? noneResting;
  }

  onRecord(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#begin(batch, out);
    if (this.#share === undefined) this.#handle(record);
    else this.#share.take(record, batch, out);
  }

  /** In the open batch. */
  #handle(record: InputRecord): void {
    const { batch, out } = this.#now;
    if (this.failed.size > 0) {
      const place = placeOf(record);
      const failure = this.failed.of(place);
      if (failure !== undefined) {
        this.#open.push(journaled(place, failure));
        this.#putAside(record, failure);
        return;
      }
    }
    try {
      this.processor.onRecord(record, batch, out);
    } catch (error) {
      // A processor decodes before it does anything else. If the value cannot be decoded here either, it is the
      // record's fault and the same in every replay, and nothing has to be taken back.
      if (error instanceof UnusableRecord || (!(error instanceof RecordFault) && !this.#canDecode(record))) {
        this.#unnamed += 1;
        this.#letter(record, unusable(error));
        return;
      }
      throw faultOf(error, placeOf(record), 'handle');
    }
  }

  /** The end of the batch, in steps, between which nothing else may be told of it. */
  *ending(batch: BatchContext, out: Emitter): Generator<undefined, void> {
    this.#begin(batch, out);
    if (this.#share !== undefined) yield* this.#share.drain(this.partition, batch, out);
    this.processor.onBatchEnd(this.#now.batch, out);
    this.#share?.endBatch();
  }

  /** Of the open batch, those included that the journal does not name. */
  get openLetters(): number {
    return this.#open.length + this.#unnamed;
  }
  /** Of those, the ones that no workspace answers for, whose records would wait. */
  get unownedLetters(): number {
    return this.#unowned;
  }

  /** What the journal has to say of the open batch. */
  get openFailures(): readonly JournaledFailure[] {
    return this.#open;
  }

  committed(): void {
    this.#open = [];
    this.#unnamed = 0;
    this.#unowned = 0;
  }

  /** Takes the open batch back. False when these stores cannot: then they are to be opened again. */
  takeBack(): boolean {
    const { stores, codecs, partition, partitions } = this.#parts;
    if (stores.takeBack === undefined) return false;
    stores.takeBack();
    this.deadLetters -= this.openLetters;
    this.committed();
    // Whatever the processor remembers of the batch is gone with it.
    this.#processor = this.#spec.open(partition, partitions, stores, codecs);
    this.#share = this.#openShare();
    return true;
  }

  #openShare(): FairShare | undefined {
    const { share } = this.#spec;
    return share && new FairShare(share, this.stores.keyed, this.#processor, this.#handling);
  }

  #begin(batch: BatchContext, out: Emitter): void {
    this.#out = out;
    if (batch === this.#batch) return;
    this.#batch = batch;
    this.#context = {
      ...batch,
      attempt: (kept, work) => this.#attempt(kept, work),
      rests: (workspace) => this.#share?.rests(workspace) === true,
      standsAt: (workspace) => this.#share?.standsAt(workspace),
    };
  }

  /** The batch that is open, as this partition's processor is told of it. */
  get #now(): { readonly batch: BatchContext; readonly out: Emitter } {
    assertState(
      this.#context !== undefined && this.#out !== undefined,
      'what is handled is handled in a batch',
    );
    return { batch: this.#context, out: this.#out };
  }

  /** What was kept of an earlier record fails by itself: the record that is read at that moment has no part in it. */
  #attempt(kept: Kept, work: () => void): boolean {
    const failure = this.failed.size === 0 ? undefined : this.failed.of(this.#placeOfKept(kept));
    if (failure === undefined) {
      try {
        work();
        return true;
      } catch (error) {
        throw faultOf(error, this.#placeOfKept(kept), 'handle');
      }
    }
    const place = this.#placeOfKept(kept);
    this.#open.push(journaled(place, failure));
    this.#write({ ...place, key: Buffer.from(kept.key), value: kept.value() }, failure);
    return false;
  }

  #placeOfKept({ topic, name, offset = -1 }: Kept): FailedPlace {
    return { topic, partition: this.partition, offset, kept: name };
  }

  #canDecode(record: InputRecord): boolean {
    const codec = this.#parts.codecs[topics[record.topic].record as RecordName]; // every topic's record has a codec
    try {
      codec.decode(record.bytes, record.valueStart, record.valueEnd);
      return true;
    } catch (error) {
      if (error instanceof UnknownSchemaError && !this.#parts.unknowable.has(error.schemaId)) throw error;
      return false;
    }
  }

  /** Untried, because of what else its workspace sent. */
  #refuse(record: InputRecord): void {
    this.#unnamed += 1;
    this.#putAside(record, untried);
  }

  #putAside(record: InputRecord, failure: Failure): void {
    this.#letter(record, failure);
    const { batch, out } = this.#now;
    this.processor.onPutAside?.(record, batch, out);
  }

  #letter(record: InputRecord, failure: Failure): void {
    const { bytes, keyStart, keyEnd, valueStart, valueEnd } = record;
    const key = bytes.subarray(keyStart, keyEnd);
    this.#write({ ...placeOf(record), key, value: bytes.subarray(valueStart, valueEnd) }, failure);
  }

  #write(what: FailedPlace & { readonly key: Buffer; readonly value: Buffer }, failure: Failure): void {
    const { batch, out } = this.#now;
    this.deadLetters += 1;
    if (this.#share?.letter(what.key, batch) !== true) this.#unowned += 1;
    const { codecs } = this.#parts;
    const letter = { ...what, ...failure, service: this.#spec.name, at: batch.time };
    const key = what.key.subarray(0, letterKeyBytesMax);
    out.emit('deadLetters', key, codecs.DeadLetter.encode(deadLetterOf(letter)));
    out.emit('eventsDropped', key, codecs.DroppedEvent.encode(droppedOf(letter, codecs)));
  }
}

function placeOf({ topic, partition, offset }: InputRecord): FailedPlace {
  return { topic, partition, offset, kept: '' };
}

function unusable(error: unknown): Failure {
  return {
    step: error instanceof UnusableRecord ? 'admit' : 'decode',
    code: error instanceof CodedError ? error.code : 'undecodable',
    message: error instanceof Error ? error.message : String(error),
  };
}
