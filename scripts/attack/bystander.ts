/**
 * Somebody who has nothing to do with it: sends an event of a known person each second, and each second a newcomer's
 * event with the identify that claims it; looks when each is in ClickHouse, and whether a journey on it was entered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Keys } from '../../services/testing/stack.ts';
import { Caller } from './caller.ts';
import type { Reader } from './reader.ts';

/** What is waited for: by lane alone, by identity's answer, by the rules. */
export const paths = ['event', 'claim', 'journey'] as const;
export type Path = (typeof paths)[number];

export interface Latency {
  readonly ms: number;
  /** When the event was sent. */
  readonly sentAt: Date;
}

interface Sent {
  readonly messageId: string;
  readonly at: number;
  /** The same by the clock, as logs have it. */
  readonly clock: Date;
  /** What went on when it was sent. */
  readonly stretch: string;
  /** When it was seen, by path. */
  readonly seen: Map<Path, number>;
}

const everyMs = 1_000;
const lookMs = 150;
const patienceMs = 120_000;
/** What is waited for at one time; older ones are lost for the figures, and the end compares all. */
const openMax = 1_000;
export const journeyId = 'bystanders';
const eventName = 'Bystander Came';

export class Bystander {
  readonly name: string;
  readonly workspace: string;
  readonly #keys: Keys;
  readonly #reader: Reader;
  #caller: Caller;
  #open: Sent[] = [];
  #number = 0;
  #stopped = false;
  #running: Promise<unknown> = Promise.resolve();
  /** Of every event that was acknowledged. */
  readonly acknowledged: string[] = [];
  /** Calls that were not taken: none, while the installation is up. */
  refused = 0;
  /** What goes on now; figures go by what went on when the event was sent. */
  stretch = '';
  readonly #latencies: (Latency & { readonly stretch: string; readonly path: Path })[] = [];

  constructor(
    parts: { readonly name: string; readonly workspace: string; readonly keys: Keys; readonly http: string },
    reader: Reader,
  ) {
    this.name = parts.name;
    this.workspace = parts.workspace;
    this.#keys = parts.keys;
    this.#reader = reader;
    this.#caller = new Caller(parts.http, parts.keys);
  }

  /** Its known person, and the journey that each of the person's events enters. */
  async prepare(): Promise<void> {
    const trigger = { event: eventName };
    const journey = { name: 'Bystanders', state: 'running', trigger, frequency: { mode: 'every_rematch' } };
    await this.#caller.app('PUT', `/v1/definitions/journeys/${journeyId}`, journey);
    await this.#caller.pipelines('/identify', { userId: `${this.name}-known`, traits: { plan: 'pro' } });
  }

  start(http: string): void {
    this.#caller = new Caller(http, this.#keys);
    this.#stopped = false;
    this.#running = Promise.all([this.#send(), this.#look()]);
  }
  /** Sends no more; resolves when all that was sent has been seen, or was waited for too long. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Of the events that were sent in a stretch, ascending; events that were never seen count as the patience. */
  latencies(stretch: string, path: Path): readonly Latency[] {
    const found = this.#latencies.filter((each) => each.stretch === stretch && each.path === path);
    return found.sort((a, b) => a.ms - b.ms);
  }

  async #send(): Promise<void> {
    const began = performance.now();
    let beat = 0;
    do {
      this.#number += 1;
      void this.#sendOne(String(this.#number));
      beat += 1;
      await sleep(Math.max(0, began + beat * everyMs - performance.now()));
    } while (!this.#stopped);
  }

  async #sendOne(number: string): Promise<void> {
    const { name, stretch } = this;
    const at = performance.now();
    const clock = new Date();
    const [known, past] = [`${name}-known-${number}`, `${name}-past-${number}`];
    const visitor = `${name}-visitor-${number}`;
    const person = `${name}-newcomer-${number}`;
    const event = { type: 'track', userId: `${name}-known`, event: eventName, messageId: known };
    const claimed = { type: 'track', anonymousId: visitor, event: eventName, messageId: past };
    const identify = { type: 'identify', anonymousId: visitor, userId: person, traits: { plan: 'free' } };
    const status = await this.#caller.pipelines('/batch', { batch: [event, claimed, identify] }, 3);
    if (status !== 200) {
      this.refused += 1;
      return;
    }
    this.acknowledged.push(known, past);
    for (const messageId of [known, past])
      this.#open.push({ messageId, at, clock, stretch, seen: new Map() });
    if (this.#open.length > openMax) this.#open.splice(0, this.#open.length - openMax);
  }

  async #look(): Promise<void> {
    while (!this.#stopped || this.#open.length > 0) {
      await sleep(lookMs);
      if (this.#open.length === 0) continue;
      const ids = this.#open.map(({ messageId }) => messageId);
      const [rows, entries] = await Promise.all([
        this.#reader.merged(this.workspace, ids),
        this.#reader.entered(this.workspace, ids),
      ]);
      const now = performance.now();
      this.#open = this.#open.filter((sent) => this.#isWaitedFor(sent, { rows, entries, now }));
    }
  }

  #isWaitedFor(
    sent: Sent,
    found: {
      readonly rows: ReadonlySet<string>;
      readonly entries: ReadonlySet<string>;
      readonly now: number;
    },
  ): boolean {
    const path: Path = sent.messageId.includes('-past-') ? 'claim' : 'event';
    const wanted = [
      [path, found.rows],
      ['journey', found.entries],
    ] as const;
    for (const [each, ids] of wanted) {
      if (sent.seen.has(each) || !ids.has(sent.messageId)) continue;
      sent.seen.set(each, found.now);
      this.#latencies.push({
        stretch: sent.stretch,
        path: each,
        ms: found.now - sent.at,
        sentAt: sent.clock,
      });
    }
    if (wanted.every(([each]) => sent.seen.has(each))) return false;
    if (found.now - sent.at < patienceMs) return true;
    for (const [each] of wanted) {
      if (sent.seen.has(each)) continue;
      this.#latencies.push({ stretch: sent.stretch, path: each, ms: patienceMs, sentAt: sent.clock });
    }
    return false;
  }
}
