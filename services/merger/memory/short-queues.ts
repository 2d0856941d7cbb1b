/**
 * Queues of a few events, as they were queued: most lanes that ask have one or two, and are answered before what they
 * queued has left memory for good. Only a saving: what is not here is read from the store.
 */
const eventsMax = 16;
/** Of all lanes of a partition; above it all are forgotten. */
const bytesMax = 4 << 20;
/** What an event here costs beside its bytes. */
const EVENT_BYTES = 200;

export interface Queue {
  readonly length: number;
  /** The bytes as appended; a view that the next call may overwrite. */
  read(index: number): Buffer;
  /** Lowest receive time of everything at or behind this place. */
  lowestFrom(index: number): number;
}

class ShortQueue implements Queue {
  readonly #values: Buffer[] = [];
  readonly #received: number[] = [];
  bytes = 0;

  get length(): number {
    return this.#values.length;
  }
  add(value: Buffer, receivedAt: number): void {
    this.#values.push(value);
    this.#received.push(receivedAt);
    this.bytes += value.length + EVENT_BYTES;
  }
  read(index: number): Buffer {
    return this.#values[index] as Buffer; // index < length is the caller's duty
  }
  lowestFrom(index: number): number {
    let lowest = Infinity;
    for (let i = index; i < this.#received.length; i += 1) {
      lowest = Math.min(lowest, this.#received[i] as number);
    }
    return lowest;
  }
}

export class ShortQueues {
  readonly #queues = new Map<string, ShortQueue>();
  #bytes = 0;

  get(hex: string): Queue | undefined {
    return this.#queues.get(hex);
  }

  /** An event joined the lane's queue at this place; its bytes are kept as they are. */
  joined(hex: string, place: number, value: Buffer, receivedAt: number): void {
    if (place === 0) this.#queues.set(hex, new ShortQueue());
    const queue = this.#queues.get(hex);
    if (queue === undefined) return;
    if (queue.length !== place || place >= eventsMax) {
      this.forget(hex);
      return;
    }
    const before = queue.bytes;
    queue.add(value, receivedAt);
    this.#bytes += queue.bytes - before;
    if (this.#bytes <= bytesMax) return;
    this.#queues.clear();
    this.#bytes = 0;
  }
  forget(hex: string): void {
    this.#bytes -= this.#queues.get(hex)?.bytes ?? 0;
    this.#queues.delete(hex);
  }
}
