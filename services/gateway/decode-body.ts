/**
 * What a body is, by its bytes: proxies inflate bodies and leave the header, or take the header away and leave the bytes
 * (spec A.0 row 7). The header says which decoders may be tried; text that is whole as it stands is left alone.
 */
import { isUtf8 } from 'node:buffer';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { bodyBytesMax } from '../../schemas/http/limits.ts';
import { CodedError } from '../runtime/errors.ts';

/** What a body may grow to, as a multiple of the bytes that were sent, whatever lies over one another; JSON of like calls comes to about 50. */
export const inflationRatioMax = 250;
/** A small body may grow to this whatever the ratio. */
export const inflatedBytesFree = 64 * 1_024;
/** Encodings over one another. */
const encodingsMax = 2;

type Encoding = 'gzip' | 'deflate' | 'br';

const NAMES: Readonly<Record<string, Encoding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
};

/** In the order in which they were put on. @throws CodedError `encoding_unsupported`. */
export function encodingsOf(header: string | undefined): readonly Encoding[] {
  const names = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim());
  const encodings = names.filter((name) => name !== '' && name !== 'identity').map((name) => NAMES[name]);
  if (encodings.length > encodingsMax || encodings.includes(undefined)) {
    throw new CodedError(
      'encoding_unsupported',
      'could not read the body: its content-encoding is none of gzip, deflate and br, or they are too many',
    );
  }
  return encodings.filter((encoding) => encoding !== undefined);
}

/**
 * The text of the body in UTF-8, without a byte-order mark; with one it may have been UTF-16.
 * @param take asked as it grows, with the bytes that are added; throws when there is no room for them.
 * @throws CodedError `body_malformed`, `body_too_large`.
 */
export async function decodeBody(
  bytes: Buffer,
  encodings: readonly Encoding[],
  take: (bytes: number) => void,
): Promise<Buffer> {
  let body = bytes;
  const announced = encodings.length === 0 && isGzip(bytes) ? (['gzip'] as const) : encodings;
  for (const encoding of [...announced].reverse()) {
    if (body.length === 0 || isWholeText(body)) break;
    body = await decode(body, encoding, { sentBytes: bytes.length, take });
  }
  if (!hasWideMark(body)) return withoutMark(body);
  take(body.length * 2); // two bytes of UTF-16 are three of UTF-8 at most, and big-endian ones are turned in a copy
  const text = Buffer.from(wideText(body));
  if (text.length > bodyBytesMax) throw tooLarge();
  return text;
}

function hasWideMark(bytes: Buffer): boolean {
  const mark = bytes.length < 2 || bytes.length % 2 !== 0 ? 0 : bytes.readUInt16BE(0);
  return mark === 0xfeff || mark === 0xfffe;
}

/** Without its mark, which says in which order the bytes are. */
function wideText(bytes: Buffer): string {
  const little = bytes.readUInt16BE(0) === 0xfffe ? bytes : Buffer.from(bytes).swap16();
  return little.toString('utf16le', 2);
}

interface Growing {
  readonly sentBytes: number;
  readonly take: (bytes: number) => void;
}

async function decode(bytes: Buffer, encoding: Encoding, { sentBytes, take }: Growing): Promise<Buffer> {
  const bytesMax = Math.min(bodyBytesMax, Math.max(inflatedBytesFree, sentBytes * inflationRatioMax));
  const stream = decoderOf(encoding, bytes);
  const chunks: Buffer[] = [];
  let length = 0;
  stream.end(bytes);
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bytesMax) throw tooLarge();
      take(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CodedError) throw error;
    throw new CodedError('body_malformed', `could not read the body: it is not ${encoding}`, {
      cause: error,
    });
  }
  return Buffer.concat(chunks, length);
}

function decoderOf(encoding: Encoding, bytes: Buffer) {
  switch (encoding) {
    case 'gzip':
      return createGunzip();
    case 'deflate':
      // By its name it has a header of two bytes, and some clients leave that away.
      return hasZlibHeader(bytes) ? createInflate() : createInflateRaw();
    case 'br':
      return createBrotliDecompress();
  }
}

export function tooLarge(): CodedError {
  const message = `could not take the body: it is larger than ${String(bodyBytesMax)} bytes, or grows too much`;
  return new CodedError('body_too_large', message);
}

/** The second byte never follows the first in UTF-8. */
function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function hasZlibHeader(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;
}

const BRACES = [
  ['{', '}'],
  ['[', ']'],
] as const;

/** Brotli may begin with a brace too, but not also end with one and be UTF-8 in between, but by a miracle. */
function isWholeText(bytes: Buffer): boolean {
  const body = withoutMark(bytes);
  const [first, last] = [characterFrom(body, 0, 1), characterFrom(body, body.length - 1, -1)];
  return BRACES.some(([open, close]) => open === first && close === last) && isUtf8(body);
}

/** The first that is no white space of JSON. */
function characterFrom(bytes: Buffer, start: number, step: 1 | -1): string {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at += step;
  return String.fromCharCode(bytes[at] ?? 0);
}

function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
