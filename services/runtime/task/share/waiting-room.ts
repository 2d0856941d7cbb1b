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
const HEAD_BYTES = TOPIC_BYTES + 8 + 8 + 4;

export class WaitingRoom {
  readonly #store: KeyedStore;
  readonly #queues = new Map<string, Queue>();
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

  /** At the end of the workspace's queue. The record is copied. */
  park(workspace: string, record: InputRecord): void {
    const { head, tail, bytes } = this.#queues.get(workspace) ?? { head: 0, tail: 0, bytes: 0 };
    const row = encode(record);
    this.#store.put(keyOf(workspace, tail), row);
    this.records += 1;
    this.bytes += row.length;
    this.#save(workspace, { head, tail: tail + 1, bytes: bytes + row.length });
  }

  /** Takes the oldest of the workspace out. */
  take(workspace: string, partition: number): InputRecord {
    const queue = this.#queues.get(workspace);
    assertState(queue !== undefined, `records of ${workspace} wait`);
    const { head, tail, bytes } = queue;
    const key = keyOf(workspace, head);
    const row = this.#store.get(key);
    assertState(row !== undefined, `the record ${key} that waits is in the store`);
    this.#store.delete(key);
    this.records -= 1;
    this.bytes -= row.length;
    this.#save(workspace, { head: head + 1, tail, bytes: bytes - row.length });
    return decode(Buffer.from(row), partition); // the store may reuse its view
  }

  #save(workspace: string, queue: Queue): void {
    const key = `${ROOMS}${workspace}`;
    if (queue.head === queue.tail) {
      this.#queues.delete(workspace);
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

/** Length of the topic's name, offset, append time, length of the key; then name, key, value. */
function encode({ topic, offset, appendedAt, bytes, ...at }: InputRecord): Buffer {
  const name = Buffer.from(topics[topic].name);
  const keyBytes = at.keyEnd - at.keyStart;
  const row = Buffer.allocUnsafe(HEAD_BYTES + name.length + keyBytes + at.valueEnd - at.valueStart);
  row.writeUInt8(name.length, 0);
  row.writeDoubleLE(offset, TOPIC_BYTES);
  row.writeDoubleLE(appendedAt, TOPIC_BYTES + 8);
  row.writeUInt32LE(keyBytes, TOPIC_BYTES + 16);
  name.copy(row, HEAD_BYTES);
  bytes.copy(row, HEAD_BYTES + name.length, at.keyStart, at.keyEnd);
  bytes.copy(row, HEAD_BYTES + name.length + keyBytes, at.valueStart, at.valueEnd);
  return row;
}

function decode(row: Buffer, partition: number): InputRecord {
  const keyStart = HEAD_BYTES + row.readUInt8(0);
  const keyEnd = keyStart + row.readUInt32LE(TOPIC_BYTES + 16);
  return {
    topic: topicIdOf(row.toString('utf8', HEAD_BYTES, keyStart)),
    partition,
    offset: row.readDoubleLE(TOPIC_BYTES),
    appendedAt: row.readDoubleLE(TOPIC_BYTES + 8),
    bytes: row,
    keyStart,
    keyEnd,
    valueStart: keyEnd,
    valueEnd: row.length,
  };
}
