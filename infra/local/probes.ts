/** Is a part there, and is it what it should be? Each answer comes within PROBE_MS_MAX and never throws. */
import { connect } from 'node:net';

const PROBE_MS_MAX = 3_000;

/** Asks for the versions of the broker's API, which every Kafka broker answers, and nothing else does. */
export function answersAsKafka(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port });
    const answer = (is: boolean) => {
      socket.destroy();
      done(is);
    };
    socket.setTimeout(PROBE_MS_MAX, () => {
      answer(false);
    });
    socket.once('error', () => {
      answer(false);
    });
    socket.once('close', () => {
      answer(false);
    });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 10)
        answer(received.readInt32BE(4) === CORRELATION_ID && received.readInt16BE(8) === 0);
    });
    socket.write(API_VERSIONS_REQUEST);
  });
}

const CORRELATION_ID = 0x68696e64;
/** Length, api key 18, version 0, correlation id, empty client id. */
const API_VERSIONS_REQUEST = (() => {
  const request = Buffer.alloc(14);
  request.writeInt32BE(10, 0);
  request.writeInt16BE(18, 4);
  request.writeInt16BE(0, 6);
  request.writeInt32BE(CORRELATION_ID, 8);
  return request;
})();

/** @param url the base of the Confluent API. */
export async function answersAsRegistry(url: string): Promise<boolean> {
  const subjects = await getJson(`${url}/subjects`);
  return Array.isArray(subjects);
}

export async function answersAsClickHouse(url: string): Promise<boolean> {
  return (await get(new URL('/ping', url).href))?.trim() === 'Ok.';
}

/** @returns undefined when the account may query, else what the server says. */
export async function clickHouseRefusal(
  url: string,
  account: { readonly user: string; readonly password: string },
): Promise<string | undefined> {
  try {
    const response = await fetch(`${url}/?query=SELECT%201`, {
      headers: { 'x-clickhouse-user': account.user, 'x-clickhouse-key': account.password },
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    const text = await response.text();
    return response.ok ? undefined : text.trim().slice(0, 200);
  } catch (error) {
    return String(error);
  }
}

async function getJson(url: string): Promise<unknown> {
  const text = await get(url);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function get(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
    return response.ok ? await response.text() : undefined;
  } catch {
    return undefined;
  }
}
