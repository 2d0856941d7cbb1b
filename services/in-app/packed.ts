/**
 * Plain data in few bytes: what JSON can say, at about a third of its length. Small numbers take one byte, and a word that
 * was there before, or stands in the list that both sides have, one or two; a time is kept as its distance from the one
 * before. What comes out is what `JSON.parse(JSON.stringify(value))` gives.
 *
 * A byte says what follows: below WORD_MAX the word of that number, then texts, whole numbers, lists and objects whose
 * length or value is in the byte itself, then everything else.
 */
import { assert } from '../runtime/errors.ts';

const WORD_MAX = 0x80;
const SHORT_TEXT = 0x80;
const SMALL_NUMBER = 0xa0;
const SHORT_LIST = 0xc0;
const SMALL_OBJECT = 0xd0;
const NULL = 0xe0;
const FALSE = 0xe1;
const TRUE = 0xe2;
/** Whole, as a varint; below 0 the number less one, its sign changed. */
const NUMBER = 0xe3;
const BELOW_ZERO = 0xe4;
/** Hundredths, as prices are. */
const HUNDREDTHS = 0xe5;
const DOUBLE = 0xe6;
/** A large number as what it is more, or less, than the large number before. */
const LATER = 0xe7;
const EARLIER = 0xe8;
const TEXT = 0xe9;
/** Of 16 bytes. */
const UUID = 0xea;
/** In UTF-16: no UTF-8 says it. */
const BROKEN_TEXT = 0xeb;
const WORD = 0xec;
const LIST = 0xed;
const OBJECT = 0xee;

const SHORT_TEXT_MAX = 31;
const SMALL_NUMBER_MAX = 31;
const SHORT_LIST_MAX = 15;
const LARGE_MIN = 2 ** 32;
const HUNDREDTHS_MAX = 2 ** 31;
/** A shorter text costs no more than its number. */
const WORD_CHARS_MIN = 3;
const UUID_TEXT = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
/** Half of a surrogate pair, without the other. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const UUID_CHARS = 36;
const UUID_BYTES = 16;
const VARINT_BYTES_MAX = 8;
const DOUBLE_BYTES = 8;

/** Far above what a value has of words of its own, which are numbered from the end of the list on. */
const ADDED_FROM = 2 ** 20;

/** Words that both sides know. Their numbers are in what is stored: the list stays as it is, and new ones are added. */
export class Words {
  readonly list: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly #added: readonly string[];

  /** @param added after values were stored with the list: they take three bytes more. */
  constructor(list: readonly string[], added: readonly string[] = []) {
    this.list = list;
    this.#added = added;
    this.numbers = new Map([
      ...list.map((word, number) => [word, number] as const),
      ...added.map((word, at) => [word, ADDED_FROM + at] as const),
    ]);
    assert(this.numbers.size === list.length + added.length, 'no word is there twice');
  }

  /** @param own words of the value that is read. */
  at(number: number, own: readonly string[]): string | undefined {
    if (number < this.list.length) return this.list[number];
    return number < ADDED_FROM ? own[number - this.list.length] : this.#added[number - ADDED_FROM];
  }
}

export function pack(value: unknown, words: Words): Buffer {
  const packer = new Packer(words);
  packer.add(value);
  return packer.taken();
}

/** @param bytes what pack made, with the same list of words and the same added ones, or the first of those. */
export function unpack(bytes: Buffer, words: Words): unknown {
  return new Unpacker(bytes, words).next();
}

/** One for all: nothing is packed while something else is. */
let scratch = Buffer.allocUnsafeSlow(64 * 1_024);

class Packer {
  readonly #words: Words;
  readonly #own = new Map<string, number>();
  #at = 0;
  #large = 0;

  constructor(words: Words) {
    this.#words = words;
  }

  taken(): Buffer {
    return Buffer.from(scratch.subarray(0, this.#at));
  }

  add(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#text(value);
        return;
      case 'number':
        this.#number(value);
        return;
      case 'boolean':
        this.#byte(value ? TRUE : FALSE);
        return;
      case 'object':
        if (value === null) this.#byte(NULL);
        else if (Array.isArray(value)) this.#list(value);
        else this.#object(value as Readonly<Record<string, unknown>>); // plain, as all that is stored
        return;
      default:
        this.#byte(NULL); // as JSON has it in a list
    }
  }

  #list(list: readonly unknown[]): void {
    if (list.length <= SHORT_LIST_MAX) this.#byte(SHORT_LIST + list.length);
    else this.#tagged(LIST, list.length);
    for (const each of list) this.add(each);
  }

  #object(object: Readonly<Record<string, unknown>>): void {
    const keys = Object.keys(object).filter((key) => object[key] !== undefined);
    if (keys.length <= SHORT_LIST_MAX) this.#byte(SMALL_OBJECT + keys.length);
    else this.#tagged(OBJECT, keys.length);
    for (const key of keys) {
      this.#text(key);
      this.add(object[key]);
    }
  }

  #text(text: string): void {
    const known = this.#words.numbers.get(text) ?? this.#own.get(text);
    if (known !== undefined) {
      if (known < WORD_MAX) this.#byte(known);
      else this.#tagged(WORD, known);
      return;
    }
    if (text.length >= WORD_CHARS_MIN) this.#own.set(text, this.#words.list.length + this.#own.size);
    if (text.length === UUID_CHARS && UUID_TEXT.test(text)) {
      this.#room(1 + UUID_BYTES);
      scratch[this.#at] = UUID;
      scratch.write(text.replaceAll('-', ''), this.#at + 1, 'hex');
      this.#at += 1 + UUID_BYTES;
    } else if (!HALF_A_PAIR.test(text)) {
      const length = Buffer.byteLength(text);
      if (length <= SHORT_TEXT_MAX) this.#byte(SHORT_TEXT + length);
      else this.#tagged(TEXT, length);
      this.#room(length);
      this.#at += scratch.write(text, this.#at, 'utf8');
    } else {
      this.#tagged(BROKEN_TEXT, 2 * text.length);
      this.#room(2 * text.length);
      this.#at += scratch.write(text, this.#at, 'utf16le');
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) this.#whole(value === 0 ? 0 : value);
    else if (!Number.isFinite(value)) this.#byte(NULL);
    else {
      const hundredths = Math.round(value * 100);
      if (hundredths >= 0 && hundredths < HUNDREDTHS_MAX && hundredths / 100 === value) {
        this.#tagged(HUNDREDTHS, hundredths);
        return;
      }
      this.#room(1 + DOUBLE_BYTES);
      scratch[this.#at] = DOUBLE;
      this.#at = scratch.writeDoubleLE(value, this.#at + 1);
    }
  }

  #whole(value: number): void {
    if (value < 0) this.#tagged(BELOW_ZERO, -(value + 1));
    else if (value <= SMALL_NUMBER_MAX) this.#byte(SMALL_NUMBER + value);
    else if (value < LARGE_MIN) this.#tagged(NUMBER, value);
    else {
      const more = value - this.#large;
      this.#large = value;
      this.#tagged(more < 0 ? EARLIER : LATER, Math.abs(more));
    }
  }

  #byte(byte: number): void {
    this.#room(1);
    scratch[this.#at] = byte;
    this.#at += 1;
  }

  #tagged(tag: number, value: number): void {
    this.#room(1 + VARINT_BYTES_MAX);
    scratch[this.#at] = tag;
    let at = this.#at + 1;
    let rest = value;
    while (rest >= 128) {
      scratch[at] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
      at += 1;
    }
    scratch[at] = rest;
    this.#at = at + 1;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#at + bytes));
    scratch.copy(larger, 0, 0, this.#at);
    scratch = larger;
  }
}

class Unpacker {
  readonly #bytes: Buffer;
  readonly #words: Words;
  readonly #own: string[] = [];
  #at = 0;
  #large = 0;

  constructor(bytes: Buffer, words: Words) {
    this.#bytes = bytes;
    this.#words = words;
  }

  next(): unknown {
    const tag = this.#byte();
    if (tag < WORD_MAX) return this.#word(tag);
    if (tag < SMALL_NUMBER) return this.#learn(this.#slice(tag - SHORT_TEXT, 'utf8'));
    if (tag < SHORT_LIST) return tag - SMALL_NUMBER;
    if (tag < SMALL_OBJECT) return this.#list(tag - SHORT_LIST);
    if (tag < NULL) return this.#object(tag - SMALL_OBJECT);
    switch (tag) {
      case NULL:
        return null;
      case FALSE:
        return false;
      case TRUE:
        return true;
      case NUMBER:
        return this.#varint();
      case BELOW_ZERO:
        return -this.#varint() - 1;
      case HUNDREDTHS:
        return this.#varint() / 100;
      case DOUBLE:
        this.#at += DOUBLE_BYTES;
        return this.#bytes.readDoubleLE(this.#at - DOUBLE_BYTES);
      case LATER:
        this.#large += this.#varint();
        return this.#large;
      case EARLIER:
        this.#large -= this.#varint();
        return this.#large;
      case TEXT:
        return this.#learn(this.#slice(this.#varint(), 'utf8'));
      case UUID:
        return this.#learn(uuidOf(this.#slice(UUID_BYTES, 'hex')));
      case BROKEN_TEXT:
        return this.#learn(this.#slice(this.#varint(), 'utf16le'));
      case WORD:
        return this.#word(this.#varint());
      case LIST:
        return this.#list(this.#varint());
      default:
        assert(tag === OBJECT, 'what is stored was packed');
        return this.#object(this.#varint());
    }
  }

  #list(length: number): unknown[] {
    const list: unknown[] = [];
    for (let index = 0; index < length; index += 1) list.push(this.next());
    return list;
  }

  #object(size: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (let index = 0; index < size; index += 1) {
      const key = this.next() as string; // keys are packed as texts
      if (key === '__proto__') {
        const value = this.next();
        Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
      } else object[key] = this.next();
    }
    return object;
  }

  #word(number: number): string {
    const word = this.#words.at(number, this.#own);
    assert(word !== undefined, 'a word that is named was there');
    return word;
  }

  #learn(text: string): string {
    if (text.length >= WORD_CHARS_MIN) this.#own.push(text);
    return text;
  }

  #slice(bytes: number, encoding: BufferEncoding): string {
    const from = this.#at;
    this.#at = from + bytes;
    assert(this.#at <= this.#bytes.length, 'what is stored is whole');
    return this.#bytes.toString(encoding, from, this.#at);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    assert(byte !== undefined, 'what is stored is whole');
    this.#at += 1;
    return byte;
  }

  #varint(): number {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = this.#byte();
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
      scale *= 128;
    }
  }
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
