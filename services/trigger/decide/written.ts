/** An attribute as a person has it, with who wrote it. */

/** Who wrote last: time in ms, then message id. */
export type Stamp = readonly [at: number, messageId: string];
/** null: removed. */
export interface Written {
  readonly value: unknown;
  readonly by: Stamp;
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
