/** Requests recorded from unmodified clients (services/testing/fixtures/clients), ready to be sent again. For tests. */
import { readFileSync } from 'node:fs';
import { request } from 'node:http';

export interface RecordedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As the client sent it, to the byte where the recording tells its length. */
  readonly bytes: Buffer;
  readonly body: unknown;
}

export interface Authorizations {
  readonly track: string;
  /** The same in the URL-safe alphabet of base64. */
  readonly 'track-url-safe': string;
  readonly pipelines: string;
  readonly app: string;
}

export function authorizationsOf(
  keys: Readonly<Record<'site_id' | 'api_key' | 'write_key' | 'app_key', string>>,
): Authorizations {
  const track = Buffer.from(`${keys.site_id}:${keys.api_key}`);
  return {
    track: `Basic ${track.toString('base64')}`,
    'track-url-safe': `Basic ${track.toString('base64url')}`,
    pipelines: `Basic ${Buffer.from(`${keys.write_key}:`).toString('base64')}`,
    app: `Bearer ${keys.app_key}`,
  };
}

export const recordedClients = [
  'cdp-analytics-node-0.5.9',
  'customerio-node-4.4.0',
  'customerio-node-5.2.0',
  'customerio-python-3.0.0',
  'customerio-ruby-6.2.0',
] as const;
export type RecordedClient = (typeof recordedClients)[number];

export function readRecorded(client: RecordedClient): readonly RecordedRequest[] {
  const file = new URL(`../testing/fixtures/clients/${client}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const recorded = JSON.parse(line) as Omit<RecordedRequest, 'bytes'>; // our own files
      return { ...recorded, bytes: rebuild(recorded.body, recorded.headers['content-length']) };
    });
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const answerMsMax = 120_000;

export function replay(
  base: string,
  recorded: RecordedRequest,
  auth: Authorizations,
): Promise<RecordedAnswer> {
  const { hostname, port, host } = new URL(base);
  const headers = Object.entries(recorded.headers).map(([name, value]): [string, string] => [
    name,
    value
      .replace('{host}', host)
      .replace(
        /^\{(track|track-url-safe|pipelines|app)\}$/,
        (_tag, kind: keyof Authorizations) => auth[kind],
      ),
  ]);
  return new Promise((resolve, reject) => {
    const sending = request(
      // The path is sent as recorded: a URL object would decode and encode it again.
      {
        hostname,
        port,
        path: recorded.url,
        method: recorded.method,
        headers: Object.fromEntries(headers),
        agent: false,
        timeout: answerMsMax,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        });
      },
    );
    sending.on('timeout', () =>
      sending.destroy(new Error(`no answer to ${recorded.method} ${recorded.url}`)),
    );
    sending.on('error', reject);
    sending.end(recorded.bytes);
  });
}

/** The body in the way of writing JSON that gives the recorded length; throws when none does. */
function rebuild(body: unknown, length: string | undefined): Buffer {
  if (body === '') return Buffer.alloc(0);
  const compact = Buffer.from(JSON.stringify(body));
  const spaced = Buffer.from(withSpaces(body));
  const found = [compact, spaced].find((bytes) => length === undefined || bytes.length === Number(length));
  if (found === undefined)
    throw new Error(`could not rebuild a body of ${String(length)} bytes: ${compact.toString()}`);
  return found;
}

/** As Python writes JSON. */
function withSpaces(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(withSpaces).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${JSON.stringify(key)}: ${withSpaces(member)}`)
    .join(', ')}}`;
}
