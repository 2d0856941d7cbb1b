/** Large answers that are asked for again and again, written once for as long as what they are about is the same. */

/** A few workspaces' worth; what goes first is what was asked for longest ago. */
const writtenBytesMax = 32 * 1_024 * 1_024;
/** Smaller ones are written as quickly as they are found. */
const smallCharsMax = 16 * 1_024;

interface Written {
  readonly source: object;
  readonly variant: string;
  readonly bytes: Buffer;
}

export class WrittenAnswers {
  /** The one that was asked for last at the end. */
  #kept: Written[] = [];

  /** @param source another object when it has changed. @param variant of what is told of it. */
  of(source: object, variant: string, body: () => unknown): string | Buffer {
    const found = this.#kept.find((each) => each.source === source && each.variant === variant);
    const others = this.#kept.filter((each) => each !== found);
    if (found !== undefined) {
      this.#kept = [...others, found];
      return found.bytes;
    }
    const text = `${JSON.stringify(body())}\n`;
    if (text.length <= smallCharsMax) return text;
    const bytes = Buffer.from(text);
    this.#kept = [...others, { source, variant, bytes }];
    let sum = this.#kept.reduce((all, each) => all + each.bytes.length, 0);
    while (sum > writtenBytesMax) sum -= this.#kept.shift()?.bytes.length ?? sum;
    return bytes;
  }
}
