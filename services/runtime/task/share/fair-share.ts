/**
 * Gives each workspace of a partition its share of a batch (share.ts). A record of a workspace that has had its share, whose
 * records fail too often (letter-pace.ts), for which its service has no room now, or of which something waits already,
 * waits too; at the end of the batch those that wait have what is left of theirs. So a flood takes so much of every batch
 * and no more, and what others send is handled as it is read.
 *
 * Which records wait is a function of the store, the records and the batch, and of nothing else: a replay that runs the
 * same batches again makes the same records wait.
 */
import type { TopicId } from '../../../../schemas/topics.ts';
import type { InputRecord } from '../../log/ports.ts';
import type { KeyedStore } from '../../store/ports.ts';
import type { BatchContext, Emitter, Processor } from '../ports.ts';
import { Debts } from './debts.ts';
import { LetterPace, usualLetters } from './letter-pace.ts';
import { unitsOf, type Share } from './share.ts';
import { WaitingRoom, type Oldest } from './waiting-room.ts';

/** A key that begins with a longer text is none of ours, and belongs to no workspace. */
const workspaceBytesMax = 200;
const COLON = 0x3a;

export type Waiting = Pick<WaitingRoom, 'records' | 'bytes' | 'workspaces'>;

/** What becomes of a record that does not wait, or no longer. */
export interface Handling {
  handle(record: InputRecord): void;
  /** Puts the record aside untried: it waited behind records of its workspace that fail, and there is no more room. */
  refuse(record: InputRecord): void;
}

export class FairShare {
  readonly #share: Share;
  readonly #room: WaitingRoom;
  readonly #processor: Processor;
  readonly #handling: Handling;
  readonly #pace: LetterPace;
  /** Units taken of the batch, by workspace; it begins with what was taken too much of those before. */
  readonly #taken = new Map<string, number>();
  readonly #debts: Debts;
  #sequence = -1;
  /** Whose record from the waiting room is in hand, and its mark. */
  #inHand: { readonly workspace: string; readonly mark: number } | undefined;
  /** Records come in runs of one workspace. */
  #workspace = '';
  #workspaceBytes = Buffer.alloc(0);

  constructor(share: Share, store: KeyedStore, processor: Processor, handling: Handling) {
    this.#share = share;
    this.#room = new WaitingRoom(store);
    this.#debts = new Debts(store);
    this.#pace = new LetterPace(share.letters ?? usualLetters, store);
    this.#processor = processor;
    this.#handling = handling;
  }

  /** What waits: records, their bytes, and how many of which workspace. */
  get waiting(): Waiting {
    return this.#room;
  }
  /** Workspaces whose records fail too often. */
  get resting(): readonly string[] {
    return this.#pace.resting;
  }

  /** Handles the record, or lets it wait. */
  take(record: InputRecord, batch: BatchContext, out: Emitter): void {
    this.#begin(batch);
    const workspace = this.#workspaceOf(record.bytes, record.keyStart, record.keyEnd);
    if (workspace !== '' && this.#waits(record) && this.#mustWait(workspace)) {
      this.#room.park(workspace, record, this.#processor.mark?.(record) ?? 0);
      while (this.#isFull(workspace)) this.#relieve(workspace, record.partition, out);
      return;
    }
    this.#handle(workspace, record, out);
  }

  /** The end of the batch, in steps: those that wait, each workspace with what is left of its share. */
  *drain(partition: number, batch: BatchContext, out: Emitter): Generator<undefined, void> {
    this.#begin(batch);
    const waiting = this.#room.records === 0 ? [] : [...this.#room.names].sort();
    for (const workspace of waiting) {
      while (this.#room.has(workspace) && !this.#hasNoTurn(workspace)) {
        this.#handleOldest(workspace, partition, out);
        yield;
      }
    }
  }

  /** Nothing more is handled in this batch, also of what a processor had kept. */
  endBatch(): void {
    for (const [workspace, units] of this.#taken) this.#debts.put(workspace, units - this.#share.unitsMax);
    this.#pace.endBatch();
  }

  /** Of records that wait: the lowest offset and the lowest mark, where all that wait are of this topic. */
  oldestOf(topic: TopicId | undefined): Oldest | undefined {
    if (!this.#isOfAll(topic)) return undefined;
    let [offset, mark] = [Infinity, Infinity];
    for (const workspace of this.#room.names) {
      const oldest = this.#room.oldest(workspace);
      offset = Math.min(offset, oldest?.offset ?? Infinity);
      mark = Math.min(mark, oldest?.mark ?? Infinity);
    }
    return { offset, mark };
  }
  /** The same by workspace: the lowest mark. */
  oldestMarks(topic: TopicId | undefined): ReadonlyMap<string, number> {
    const marks = new Map<string, number>();
    if (!this.#isOfAll(topic)) return marks;
    for (const workspace of this.#room.names) marks.set(workspace, this.#room.oldest(workspace)?.mark ?? 0);
    return marks;
  }
  #isOfAll(topic: TopicId | undefined): boolean {
    return this.#room.records > 0 && this.#share.topics?.[0] === topic;
  }

  /** Would the end of a batch at this time handle any of what waits? */
  wantsBatch(time: number): boolean {
    if (this.#room.records === 0) return false;
    for (const workspace of this.#room.names) {
      if (!this.#pace.isOver(workspace, time) && this.#processor.mustWait?.(workspace) !== true) return true;
    }
    return false;
  }

  /** Something of this key lies in dead.letters now. @returns false when that is of no workspace. */
  letter(key: Buffer, batch: BatchContext): boolean {
    this.#begin(batch);
    const workspace = this.#workspaceOf(key, 0, key.length);
    if (workspace !== '') this.#pace.letter(workspace);
    return workspace !== '';
  }

  /** See BatchContext. */
  rests(workspace: string): boolean {
    return this.#pace.rests(workspace);
  }
  /** See BatchContext. */
  standsAt(workspace: string): number | undefined {
    if (this.#inHand?.workspace === workspace) return this.#inHand.mark;
    return this.#room.records === 0 ? undefined : this.#room.oldest(workspace)?.mark;
  }

  #begin({ sequence, time }: BatchContext): void {
    if (sequence === this.#sequence) return;
    this.#sequence = sequence;
    this.#pace.begin(time);
    this.#taken.clear();
    for (const [workspace, units] of this.#debts.all) this.#taken.set(workspace, units);
  }

  #waits({ topic }: InputRecord): boolean {
    const { topics } = this.#share;
    return topics === undefined || topics.includes(topic);
  }
  #mustWait(workspace: string): boolean {
    return this.#room.has(workspace) || this.#hasNoTurn(workspace);
  }
  #hasNoTurn(workspace: string): boolean {
    return (
      (this.#taken.get(workspace) ?? 0) >= this.#share.unitsMax ||
      this.#pace.rests(workspace) ||
      this.#processor.mustWait?.(workspace) === true
    );
  }
  #isFull(workspace: string): boolean {
    const { waitingRecordsMax, waitingBytesMax } = this.#share;
    return (
      this.#room.recordsOf(workspace) > waitingRecordsMax || this.#room.bytesOf(workspace) > waitingBytesMax
    );
  }

  /** There is no more room for what waits. Trying what fails would have every batch run again and again. */
  #relieve(workspace: string, partition: number, out: Emitter): void {
    if (this.#pace.rests(workspace)) this.#handling.refuse(this.#room.take(workspace, partition).record);
    else this.#handleOldest(workspace, partition, out);
  }

  #handleOldest(workspace: string, partition: number, out: Emitter): void {
    const { record, mark } = this.#room.take(workspace, partition);
    this.#inHand = { workspace, mark };
    this.#handle(workspace, record, out);
    this.#inHand = undefined;
  }

  #handle(workspace: string, record: InputRecord, out: Emitter): void {
    const { written } = out;
    const recordsBefore = written?.records ?? 0;
    const bytesBefore = written?.bytes ?? 0;
    this.#handling.handle(record);
    if (workspace === '') return;
    const units = unitsOf({
      recordsRead: 1,
      recordsWritten: (written?.records ?? 0) - recordsBefore,
      bytesWritten: (written?.bytes ?? 0) - bytesBefore,
      own: this.#processor.takeUnits?.() ?? 0,
    });
    this.#taken.set(workspace, (this.#taken.get(workspace) ?? 0) + units);
  }

  /** What stands before the first colon of the key, or all of it; empty for a record that is of no workspace. */
  #workspaceOf(bytes: Buffer, keyStart: number, keyEnd: number): string {
    const known = this.#workspaceBytes;
    const end = keyStart + known.length;
    const isKnown =
      known.length > 0 &&
      (end === keyEnd || (end < keyEnd && bytes[end] === COLON)) &&
      known.compare(bytes, keyStart, end) === 0;
    if (isKnown) return this.#workspace;
    const colon = bytes.indexOf(COLON, keyStart);
    const to = colon < 0 || colon > keyEnd ? keyEnd : colon;
    if (to - keyStart > workspaceBytesMax) return '';
    this.#workspaceBytes = Buffer.from(bytes.subarray(keyStart, to));
    this.#workspace = this.#workspaceBytes.toString();
    return this.#workspace;
  }
}
