/**
 * Gives each workspace of a partition its share of a batch (share.ts). A record of a workspace that has had its share, or
 * of which something waits already, waits too; at the end of the batch those that wait have what is left of theirs. So a
 * flood takes so much of every batch and no more, and what others send is handled as it is read.
 *
 * Which records wait is a function of the store, the records and the batch, and of nothing else: a replay that runs the
 * same batches again makes the same records wait.
 */
import type { InputRecord } from '../../log/ports.ts';
import type { KeyedStore } from '../../store/ports.ts';
import type { Emitter, Processor } from '../ports.ts';
import { Debts } from './debts.ts';
import { unitsOf, type Share } from './share.ts';
import { WaitingRoom } from './waiting-room.ts';

/** A key that begins with a longer text is none of ours, and belongs to no workspace. */
const workspaceBytesMax = 200;
const COLON = 0x3a;

export type Waiting = Pick<WaitingRoom, 'records' | 'bytes' | 'workspaces'>;

export class FairShare {
  readonly #share: Share;
  readonly #room: WaitingRoom;
  readonly #processor: Processor;
  /** Units taken of the batch, by workspace; it begins with what was taken too much of those before. */
  readonly #taken = new Map<string, number>();
  readonly #debts: Debts;
  #sequence = -1;
  /** Records come in runs of one workspace. */
  #workspace = '';
  #workspaceBytes = Buffer.alloc(0);

  constructor(share: Share, store: KeyedStore, processor: Processor) {
    this.#share = share;
    this.#room = new WaitingRoom(store);
    this.#debts = new Debts(store);
    this.#processor = processor;
  }

  /** What waits: records, their bytes, and how many of which workspace. */
  get waiting(): Waiting {
    return this.#room;
  }

  /** Handles the record, or lets it wait. */
  take(record: InputRecord, sequence: number, out: Emitter, handle: (record: InputRecord) => void): void {
    this.#begin(sequence);
    const workspace = this.#workspaceOf(record);
    if (workspace !== '' && this.#mustWait(workspace)) {
      this.#room.park(workspace, record);
      while (this.#isFull(workspace)) this.#handleOldest(workspace, record.partition, out, handle);
      return;
    }
    this.#handle(workspace, record, out, handle);
  }

  /** The end of the batch: those that wait, each workspace with what is left of its share. */
  drain(partition: number, sequence: number, out: Emitter, handle: (record: InputRecord) => void): void {
    this.#begin(sequence);
    const waiting = this.#room.records === 0 ? [] : [...this.#room.workspaces.keys()].sort();
    for (const workspace of waiting) {
      while (this.#room.has(workspace) && !this.#hasHadShare(workspace)) {
        this.#handleOldest(workspace, partition, out, handle);
      }
    }
    for (const [workspace, units] of this.#taken) this.#debts.put(workspace, units - this.#share.unitsMax);
  }

  #begin(sequence: number): void {
    if (sequence === this.#sequence) return;
    this.#sequence = sequence;
    this.#taken.clear();
    for (const [workspace, units] of this.#debts.all) this.#taken.set(workspace, units);
  }

  #mustWait(workspace: string): boolean {
    return this.#room.has(workspace) || this.#hasHadShare(workspace);
  }
  #hasHadShare(workspace: string): boolean {
    return (this.#taken.get(workspace) ?? 0) >= this.#share.unitsMax;
  }
  #isFull(workspace: string): boolean {
    const { waitingRecordsMax, waitingBytesMax } = this.#share;
    return (
      this.#room.recordsOf(workspace) > waitingRecordsMax || this.#room.bytesOf(workspace) > waitingBytesMax
    );
  }

  #handleOldest(
    workspace: string,
    partition: number,
    out: Emitter,
    handle: (record: InputRecord) => void,
  ): void {
    this.#handle(workspace, this.#room.take(workspace, partition), out, handle);
  }

  #handle(workspace: string, record: InputRecord, out: Emitter, handle: (record: InputRecord) => void): void {
    const { written } = out;
    const [recordsBefore, bytesBefore] = [written?.records ?? 0, written?.bytes ?? 0];
    handle(record);
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
  #workspaceOf({ bytes, keyStart, keyEnd }: InputRecord): string {
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
