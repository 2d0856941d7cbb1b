/** Text that goes into SQL. Every value of a definition passes through here. */

/** A string literal of ClickHouse. */
export function quoted(text: string): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0');
  return `'${escaped}'`;
}

/** A Float64 literal, read by what reads the values that it is compared with. */
export function float(value: number): string {
  return `JSONExtractFloat(${quoted(String(value))})`;
}

/** A DateTime64(3, 'UTC') literal of a time in ms. */
export function moment(ms: number): string {
  return `fromUnixTimestamp64Milli(toInt64(${String(ms)}), 'UTC')`;
}

export function int(value: number): string {
  return `toInt64(${String(value)})`;
}

export function all(parts: readonly string[]): string {
  return parts.length === 0 ? '1' : `(${parts.join(' AND ')})`;
}
export function any(parts: readonly string[]): string {
  return parts.length === 0 ? '0' : `(${parts.join(' OR ')})`;
}

/** Names for what a SELECT asks for more than once, in its WITH. A query has one counter, so that no name hides another. */
export class Names {
  readonly #counter: { next: number };
  readonly #names = new Map<string, string>();

  constructor(counter: { next: number }) {
    this.#counter = counter;
  }

  of(expression: string): string {
    let name = this.#names.get(expression);
    if (name === undefined) {
      this.#counter.next += 1;
      name = `v${String(this.#counter.next)}`;
      this.#names.set(expression, name);
    }
    return name;
  }

  /** In front of SELECT. */
  get with(): string {
    const pairs = [...this.#names].map(([expression, name]) => `${expression} AS ${name}`);
    return pairs.length === 0 ? '' : `WITH ${pairs.join(', ')} `;
  }
}
