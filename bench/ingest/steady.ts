/**
 * So many requests per second, one after the other at even distances, whatever is answered. (A generator that has a rate
 * of its own may send a second's requests at its beginning, as fast as they are answered, and then wait.) An answer's time
 * counts from when its request was due, so what a busy door holds up counts, too.
 */
import { Agent, request as ask } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { spreadOf } from '../latency/spread.ts';
import type { LoadFigures } from './load-figures.ts';

export interface SteadyOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Of each request anew. */
  readonly next: () => { readonly url: string; readonly method: string; readonly body?: string };
}

const TICK_MS = 1;
const MS_PER_S = 1_000;

export async function steady(options: SteadyOptions): Promise<LoadFigures> {
  const { connections, seconds, rate } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const delays: number[] = [];
  let [sent, ended] = [0, 0];
  const shoot = (dueMs: number): void => {
    const end = (isAnswered: boolean): void => {
      ended += 1;
      if (isAnswered) delays.push(performance.now() - dueMs);
    };
    answered(agent, options).then(end, () => {
      end(false);
    });
  };
  const beganMs = performance.now();
  const all = Math.ceil(rate * seconds);
  while (sent < all) {
    const due = Math.min(all, Math.ceil(((performance.now() - beganMs) / MS_PER_S) * rate));
    for (; sent < due; sent += 1) shoot(beganMs + (sent / rate) * MS_PER_S);
    await sleep(TICK_MS);
  }
  while (ended < all) await sleep(TICK_MS);
  agent.destroy();
  const { p50, p99 } = spreadOf(delays);
  const [p50Ms, p99Ms] = [Math.round(p50), Math.round(p99)];
  return { requests: delays.length, seconds, p50Ms, p99Ms, failed: all - delays.length };
}

/** @returns whether with 2xx. */
function answered(agent: Agent, { headers, next }: SteadyOptions): Promise<boolean> {
  const { url, method, body } = next();
  const bytes = Buffer.from(body ?? '');
  const length = body === undefined ? {} : { 'content-length': String(bytes.length) };
  return new Promise((resolve, reject) => {
    const request = ask(url, { agent, method, headers: { ...headers, ...length } }, (response) => {
      const { statusCode = 0 } = response;
      response.resume().once('end', () => {
        resolve(statusCode >= 200 && statusCode < 300);
      });
    });
    request.once('error', reject);
    request.end(bytes);
  });
}
