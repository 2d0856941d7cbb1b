/** An attribute as a person has it, with who wrote it. */

/** Who wrote last: time in ms, then message id. */
export type Stamp = readonly [at: number, messageId: string];
/** null: removed. */
export interface Written {
  readonly value: unknown;
  readonly by: Stamp;
  /** The last time said before a value that says none, and nothing beside any other (created-at.ts). */
  readonly said?: SaidTime;
}

/** ms; null: it was taken back. */
export interface SaidTime {
  readonly ms: number | null;
  readonly by: Stamp;
}

/** Above zero: a is later. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  return a[1] === b[1] ? 0 : a[1] < b[1] ? -1 : 1;
}

/** `__proto__` is an attribute name like any other. */
export function setWritten(target: Record<string, Written>, name: string, written: Written): void {
  if (name !== '__proto__') {
    target[name] = written;
    return;
  }
  Object.defineProperty(target, name, {
    value: written,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
