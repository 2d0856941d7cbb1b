/** A set of keys that knows its least: a binary heap beside a set, so that taking one out costs no search. */
export class KeyHeap {
  readonly #live = new Set<string>();
  /** Keys that were taken out stay until they come up, or until they are the most. */
  #heap: string[] = [];

  get size(): number {
    return this.#live.size;
  }

  add(key: string): void {
    if (this.#live.has(key)) return;
    this.#live.add(key);
    if (this.#heap.length >= 2 * this.#live.size + SLACK) this.#rebuild();
    else this.#siftUp(this.#heap.push(key) - 1);
  }

  delete(key: string): void {
    this.#live.delete(key);
  }

  first(): string | undefined {
    for (;;) {
      const key = this.#heap[0];
      if (key === undefined || this.#live.has(key)) return key;
      this.#shift();
    }
  }

  /** Forgets the later half; returns the least key that it forgot. */
  keepHalf(): string {
    const keys = [...this.#live].sort();
    const cut = Math.ceil(keys.length / 2);
    const forgotten = keys.splice(cut);
    for (const key of forgotten) this.#live.delete(key);
    this.#heap = keys; // what is sorted is a heap
    return forgotten[0] ?? '';
  }

  #rebuild(): void {
    this.#heap = [...this.#live].sort();
  }

  #shift(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#siftDown();
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#inOrder(parent, at)) return;
      [heap[at], heap[parent]] = [heap[parent] ?? '', heap[at] ?? ''];
      at = parent;
    }
  }

  #siftDown(): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const child = left + 1 < heap.length && !this.#inOrder(left, left + 1) ? left + 1 : left;
      if (this.#inOrder(at, child)) return;
      [heap[at], heap[child]] = [heap[child] ?? '', heap[at] ?? ''];
      at = child;
    }
  }

  #inOrder(a: number, b: number): boolean {
    return (this.#heap[a] ?? '') <= (this.#heap[b] ?? '');
  }
}

const SLACK = 1_000;
