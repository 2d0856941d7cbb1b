/**
 * Requests as other senders make them (services/testing/fixtures/senders), ready to be sent. They were written after the
 * senders' public sources, since phones and clouds cannot run here. For tests.
 */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { RecordedRequest } from './recorded-requests.ts';

export const senders = [
  'segment-destination',
  'rudderstack-destination',
  'go-customerio',
  'cdp-analytics-go',
  'mobile-swift',
  'mobile-kotlin',
  'mobile-older',
] as const;
export type Sender = (typeof senders)[number];

export interface SenderValues {
  readonly writeKey: string;
  /** Of the phone's clock. */
  readonly now: Date;
}

export function readShaped(sender: Sender, { writeKey, now }: SenderValues): readonly RecordedRequest[] {
  const file = new URL(`fixtures/senders/${sender}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .replaceAll('{write_key}', writeKey)
    .replaceAll('{now}', now.toISOString())
    .trim()
    .split('\n')
    .map((line) => {
      const shaped = JSON.parse(line) as Omit<RecordedRequest, 'bytes'>; // our own files
      const plain = Buffer.from(shaped.body === '' ? '' : JSON.stringify(shaped.body));
      const bytes = shaped.headers['content-encoding'] === 'gzip' ? gzipSync(plain) : plain;
      const isChunked = shaped.headers['transfer-encoding'] !== undefined || shaped.method === 'GET';
      const length: Readonly<Record<string, string>> = isChunked
        ? {}
        : { 'content-length': String(bytes.length) };
      return { ...shaped, headers: { ...shaped.headers, ...length }, bytes };
    });
}
