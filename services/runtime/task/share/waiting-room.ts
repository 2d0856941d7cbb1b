/**
 * Records that wait for their workspace's turn, in the partition's store: `~wait/workspace/number` is a record,
 * `~waits/workspace` says which there are. A workspace either has none here, or everything of it goes through here.
 */
import { assertState } from '../../errors.ts';
import type { InputRecord } from '../../log/ports.ts';
import type { KeyedStore } from '../../store/ports.ts';
import { topicIdOf } from '../batch/positions.ts';
import { topics } from '../../../../schemas/topics.ts';

/** Records [head, tail) of one workspace wait. */
interface Queue {
  readonly head: number;
  readonly tail: number;
  readonly bytes: number;
}

/** Keys of the task itself start with a tilde. */
const ROOMS = '~waits/';
const ROOMS_END = '~waits0';
const PAGE = 1_000;
const NUMBER_DIGITS = 15;
const TOPIC_BYTES = 1;
/** In the first byte, beside the length of the topic's name: a mark follows the rest of the head. */
const MARKED = 0x80;
const HEAD_BYTES = TOPIC_BYTES + 8 + 8 + 4;
const MARK_BYTES = 8;

/** A record that has waited. */
export interface Waited {
  readonly record: InputRecord;
  /** As its service marked it; 0 in rows of a version that marked none. */
  readonly mark: number;
}

/** Where the oldest of a workspace lies. */
export interface Oldest {
  readonly offset: number;
  readonly mark: number;
}

export class WaitingRoom {
  readonly #store: KeyedStore;
  readonly #queues = new Map<string, Queue>();
  /** Known heads of queues, by workspace. */
  readonly #oldest = new Map<string, Oldest & { readonly head: number }>();
  records = 0;
  bytes = 0;

  constructor(store: KeyedStore) {
    this.#store = store;
    for (let from = ROOMS; ;) {
      const page = store.scan(from, ROOMS_END, PAGE);
      for (const [key, value] of page) {
        const queue = JSON.parse(value.toString()) as Queue; // written by #save
        this.#queues.set(key.slice(ROOMS.length), queue);
        this.records += queue.tail - queue.head;
        this.bytes += queue.bytes;
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      from = `${last[0]}\0`;
    }
  }

  /** Of which something waits, and how many records; in no order. */
  get workspaces(): ReadonlyMap<string, number> {
    return new Map([...this.#queues].map(([workspace, { head, tail }]) => [workspace, tail - head]));
  }
  get names(): IterableIterator<string> {
    return this.#queues.keys();
  }
  has(workspace: string): boolean {
    return this.#queues.has(workspace);
  }
  recordsOf(workspace: string): number {
    const { head, tail } = this.#queues.get(workspace) ?? { head: 0, tail: 0 };
    return tail - head;
  }
  bytesOf(workspace: string): number {
    return this.#queues.get(workspace)?.bytes ?? 0;
  }

  /** At the end of the workspace's queue. The record is copied. @param mark a number that is given back with it. */
  park(workspace: string, record: InputRecord, mark: number): void {
    const { head, tail, bytes } = this.#queues.get(workspace) ?? { head: 0, tail: 0, bytes: 0 };
    const row = encode(record, mark);
    this.#store.put(keyOf(workspace, tail), row);
    this.records += 1;
    this.bytes += row.length;
    this.#save(workspace, { head, tail: tail + 1, bytes: bytes + row.length });
  }

  /** Takes the oldest of the workspace out. */
  take(workspace: string, partition: number): Waited {
    const queue = this.#queues.get(workspace);
    assertState(queue !== undefined, `records of ${workspace} wait`);
    const { head, tail, bytes } = queue;
    const row = this.#row(workspace, head);
    this.#store.delete(keyOf(workspace, head));
    this.records -= 1;
    this.bytes -= row.length;
    this.#save(workspace, { head: head + 1, tail, bytes: bytes - row.length });
    return decode(Buffer.from(row), partition); // the store may reuse its view
  }

  /** The oldest of the workspace, where it is; undefined: nothing of it waits. */
  oldest(workspace: string): Oldest | undefined {
    const queue = this.#queues.get(workspace);
    if (queue === undefined) return undefined;
    const { head } = queue;
    const known = this.#oldest.get(workspace);
    if (known?.head === head) return known;
    const row = this.#row(workspace, head);
    const oldest = { head, offset: row.readDoubleLE(TOPIC_BYTES), mark: markOf(row) };
    this.#oldest.set(workspace, oldest);
    return oldest;
  }

  #row(workspace: string, number: number): Buffer {
    const key = keyOf(workspace, number);
    const row = this.#store.get(key);
    assertState(row !== undefined, `the record ${key} that waits is in the store`);
    return row;
  }

  #save(workspace: string, queue: Queue): void {
    const key = `${ROOMS}${workspace}`;
    if (queue.head === queue.tail) {
      this.#queues.delete(workspace);
      this.#oldest.delete(workspace);
      this.#store.delete(key);
      return;
    }
    this.#queues.set(workspace, queue);
    this.#store.putLate(key, () => Buffer.from(JSON.stringify(queue)));
  }
}

function keyOf(workspace: string, number: number): string {
  return `~wait/${workspace}/${String(number).padStart(NUMBER_DIGITS, '0')}`;
}

/** Length of the topic's name, offset, append time, length of the key, mark; then name, key, value. */
function encode({ topic, offset, appendedAt, bytes, ...at }: InputRecord, mark: number): Buffer {
  const name = Buffer.from(topics[topic].name);
  const keyBytes = at.keyEnd - at.keyStart;
  const nameStart = HEAD_BYTES + MARK_BYTES;
  const row = Buffer.allocUnsafe(nameStart + name.length + keyBytes + at.valueEnd - at.valueStart);
  row.writeUInt8(name.length | MARKED, 0);
  row.writeDoubleLE(offset, TOPIC_BYTES);
  row.writeDoubleLE(appendedAt, TOPIC_BYTES + 8);
  row.writeUInt32LE(keyBytes, TOPIC_BYTES + 16);
  row.writeDoubleLE(mark, HEAD_BYTES);
  name.copy(row, nameStart);
  bytes.copy(row, nameStart + name.length, at.keyStart, at.keyEnd);
  bytes.copy(row, nameStart + name.length + keyBytes, at.valueStart, at.valueEnd);
  return row;
}

function isMarked(row: Buffer): boolean {
  return (row.readUInt8(0) & MARKED) !== 0;
}

function markOf(row: Buffer): number {
  return isMarked(row) ? row.readDoubleLE(HEAD_BYTES) : 0;
}

function decode(row: Buffer, partition: number): Waited {
  const nameStart = HEAD_BYTES + (isMarked(row) ? MARK_BYTES : 0);
  const keyStart = nameStart + (row.readUInt8(0) & ~MARKED);
  const keyEnd = keyStart + row.readUInt32LE(TOPIC_BYTES + 16);
  const record: InputRecord = {
    topic: topicIdOf(row.toString('utf8', nameStart, keyStart)),
    partition,
    offset: row.readDoubleLE(TOPIC_BYTES),
    appendedAt: row.readDoubleLE(TOPIC_BYTES + 8),
    bytes: row,
    keyStart,
    keyEnd,
    valueStart: keyEnd,
    valueEnd: row.length,
  };
  return { record, mark: markOf(row) };
}
