/** What pages send, read without trust. */
import type { FastifyRequest } from 'fastify';
import { identifierBytesMax } from '../../schemas/http/limits.ts';
import type { Page } from './ports.ts';

export const TEXT_CHARS_MAX = 2_000;

/** What a page tells of a message is far shorter, and it is parsed before anybody is known. */
const pageBodyBytesMax = 64 * 1_024;

/** undefined: it is no JSON object, or too long for one of a page. */
export function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> | undefined {
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  if (bytes.length > pageBodyBytesMax) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>) // an object of JSON
      : undefined;
  } catch {
    return undefined;
  }
}

/** undefined: no text, an empty one, or one that nobody sends. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX ? value : undefined;
}

/** What names something: a text that is no longer than any name (schemas/http/limits.ts). */
export function nameOf(value: unknown): string | undefined {
  const text = textOf(value);
  return text !== undefined && Buffer.byteLength(text) <= identifierBytesMax ? text : undefined;
}

/** A whole number within bounds; null for anything else. */
export function numberOf(
  value: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : null;
}

/** `page` and `path`; a page that is an url has its path in it. null: not told. */
export function pageOf(from: Readonly<Record<string, unknown>>): Page | null {
  const name = textOf(from['page']);
  const path = textOf(from['path']);
  if (name === undefined) return path === undefined ? null : { name: path, path };
  return { name, path: path ?? URL.parse(name)?.pathname ?? null };
}
