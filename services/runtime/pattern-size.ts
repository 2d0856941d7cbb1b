/**
 * How large a pattern is, told from its text before anything is compiled: repetition counts multiply, and 500 characters
 * can ask for a program of a million instructions. The figure is never below what the compiled program has; besides the
 * instructions it counts what reading costs (a Unicode class has hundreds of ranges, a wide range that ignores case is
 * walked through code point by code point). What is lexed here only has to be lexed as RE2 does where RE2 takes it.
 */

/** Instructions of one Unicode class (`\pL`): their tables are long, in us and in ClickHouse. */
const UNICODE_CLASS_INSTRUCTIONS = 16;
/** What reading a Unicode class once costs, as instructions. */
const UNICODE_CLASS_READING = 50;
/** Code points of a range under `(?i)` that cost as much as one instruction, to read and wherever it is repeated. */
const FOLDED_CODE_POINTS = 100;
/** Characters and ranges of a class that cost as much as one instruction. */
const CLASS_PARTS = 32;
/** The empty program: fail and match. */
const PROGRAM = 2;
const REPEAT_MAX = 1_000;
/** Larger figures say nothing more, and stay far from what a number can hold. */
const SIZE_MAX = 1_000_000_000;
/** An escape that says no code point in hexadecimal stands for one up to here (octal `\777`). */
const SHORT_ESCAPE_MAX = 0o777;

/** Alternatives of a group that is still open. */
interface Group {
  readonly isCapture: boolean;
  /** Of the alternatives before this one, with the branches between them. */
  alternatives: number;
  /** Of this alternative without its last part. */
  parts: number;
  /** What a repetition would repeat; 0: nothing yet. */
  last: number;
}

/** Instructions at most; undefined for what RE2 does not take either. */
export function patternSize(source: string): number | undefined {
  return new SizeReader(source).read();
}

class SizeReader {
  readonly #source: string;
  /** Flags may stand anywhere: any that ignores case counts for the whole. */
  readonly #ignoresCase: boolean;
  readonly #groups: Group[] = [];
  #group = openGroup(false);
  #at = 0;
  #reading = 0;

  constructor(source: string) {
    this.#source = source;
    this.#ignoresCase = /\(\?[A-Za-z-]*i/.test(source);
  }

  read(): number | undefined {
    while (this.#at < this.#source.length) if (!this.#readPart()) return undefined;
    if (this.#groups.length > 0) return undefined;
    return bounded(sizeOf(this.#group) + this.#reading + PROGRAM);
  }

  /** False: no pattern. */
  #readPart(): boolean {
    const char = this.#source[this.#at];
    switch (char) {
      case '(':
        return this.#open();
      case ')':
        return this.#close();
      case '|':
        this.#at += 1;
        this.#group.alternatives += alternativeOf(this.#group) + 1;
        this.#group.parts = this.#group.last = 0;
        return true;
      case '[':
        return this.#readClass();
      case '*':
      case '+':
      case '?':
        return this.#repeat(
          1,
          char === '+' ? { min: 1, max: null } : { min: 0, max: char === '?' ? 1 : null },
        );
      case '{':
        return this.#readCount();
      case '\\':
        return this.#readEscape();
      default:
        this.#at += this.#widthAt(this.#at);
        this.#push(1);
        return true;
    }
  }

  #push(size: number): void {
    this.#group.parts += this.#group.last;
    this.#group.last = size;
  }

  #open(): boolean {
    const rest = this.#source.slice(this.#at);
    const flags = /^\(\?[imsU-]*([:)])/.exec(rest);
    if (flags !== null) {
      this.#at += flags[0].length;
      if (flags[1] === ')') return true; // flags for what follows
    } else {
      const name = /^\(\?P?<[A-Za-z0-9_]+>/.exec(rest);
      if (name === null && rest.startsWith('(?')) return false;
      this.#at += name === null ? 1 : name[0].length;
    }
    this.#groups.push(this.#group);
    this.#group = openGroup(flags === null);
    return true;
  }

  #close(): boolean {
    const outer = this.#groups.pop();
    if (outer === undefined) return false;
    const size = sizeOf(this.#group);
    this.#group = outer;
    this.#push(size);
    this.#at += 1;
    return true;
  }

  #readCount(): boolean {
    const found = /^\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/.exec(this.#source.slice(this.#at));
    if (found === null) {
      this.#at += 1;
      this.#push(1); // a brace that is only a brace
      return true;
    }
    const min = Number(found[1]);
    const max = found[2] === undefined ? min : found[3] === undefined ? null : Number(found[3]);
    if (min > REPEAT_MAX || (max !== null && (max > REPEAT_MAX || max < min))) return false;
    return this.#repeat(found[0].length, { min, max });
  }

  /** `max` null: without end. */
  #repeat(width: number, { min, max }: { readonly min: number; readonly max: number | null }): boolean {
    const { last } = this.#group;
    if (last === 0) return false;
    this.#at += width;
    if (this.#source[this.#at] === '?') this.#at += 1; // the fewest first: as large
    const times = max === null ? Math.max(1, min) * last + 2 : min * last + (max - min) * (last + 1);
    this.#group.last = bounded(Math.max(last, times)); // {0} leaves nothing, and has been read all the same
    return true;
  }

  #readEscape(): boolean {
    const next = this.#source[this.#at + 1];
    if (next === undefined) return false;
    if (next === 'Q') return this.#readQuoted();
    if (next === 'p' || next === 'P') {
      this.#push(UNICODE_CLASS_INSTRUCTIONS);
      return this.#readUnicodeClass();
    }
    this.#readCodePoint();
    this.#push(1);
    return true;
  }

  #readQuoted(): boolean {
    const end = this.#source.indexOf('\\E', this.#at + 2);
    const text = this.#source.slice(this.#at + 2, end < 0 ? undefined : end);
    for (let at = 0; at < text.length; at += 1) this.#push(1); // code units: never fewer than code points
    this.#at = end < 0 ? this.#source.length : end + 2;
    return true;
  }

  #readUnicodeClass(): boolean {
    this.#reading += UNICODE_CLASS_READING;
    if (this.#source[this.#at + 2] !== '{') {
      this.#at += 2 + this.#widthAt(this.#at + 2);
      return true;
    }
    const end = this.#source.indexOf('}', this.#at);
    this.#at = end + 1;
    return end >= 0;
  }

  #readClass(): boolean {
    const source = this.#source;
    let size = 1;
    let parts = 0;
    this.#at += source[this.#at + 1] === '^' ? 2 : 1;
    for (let isFirst = true; isFirst || source[this.#at] !== ']'; isFirst = false) {
      if (this.#at >= source.length) return false;
      const named = source.startsWith('[:', this.#at) ? source.indexOf(':]', this.#at) : -1;
      if (named >= 0) this.#at = named + 2;
      else if (/^\\[pP]/.test(source.slice(this.#at, this.#at + 2))) {
        size += UNICODE_CLASS_INSTRUCTIONS;
        if (!this.#readUnicodeClass()) return false;
      } else {
        size += this.#readRange();
        parts += 1;
      }
    }
    this.#at += 1;
    this.#push(size + Math.floor(parts / CLASS_PARTS));
    return true;
  }

  /** What the range has beyond others. */
  #readRange(): number {
    const [low] = this.#readCodePoint();
    if (this.#source[this.#at] !== '-' || [']', undefined].includes(this.#source[this.#at + 1])) return 0;
    this.#at += 1;
    const [, high] = this.#readCodePoint();
    if (!this.#ignoresCase) return 0;
    const folded = Math.floor(Math.max(0, high - low) / FOLDED_CODE_POINTS);
    this.#reading += folded;
    return folded;
  }

  /** The lowest and the highest code point that what stands here can be. */
  #readCodePoint(): readonly [low: number, high: number] {
    const source = this.#source;
    const from = this.#at;
    if (source[from] !== '\\') {
      const point = source.codePointAt(from) ?? 0;
      this.#at += this.#widthAt(from);
      return [point, point];
    }
    const hexadecimal = /^\\x(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(source.slice(from));
    if (hexadecimal === null) {
      this.#at += 1 + this.#widthAt(from + 1);
      return [0, SHORT_ESCAPE_MAX];
    }
    this.#at += hexadecimal[0].length;
    const point = Number.parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '0', 16);
    return [point, point];
  }

  #widthAt(at: number): number {
    return (this.#source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
}

function openGroup(isCapture: boolean): Group {
  return { isCapture, alternatives: 0, parts: 0, last: 0 };
}

function alternativeOf({ parts, last }: Group): number {
  return Math.max(1, parts + last);
}

function sizeOf(group: Group): number {
  return bounded(group.alternatives + alternativeOf(group) + (group.isCapture ? 2 : 0));
}

function bounded(size: number): number {
  return Math.min(size, SIZE_MAX);
}
