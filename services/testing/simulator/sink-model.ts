/**
 * A sink as the real one works, on an engine in memory: it reads every topic, inserts by place (topic, partition,
 * offset), and writes down how far it is after the insert only. Inserts are slow, fail, or land without an answer.
 */
import { topicIds, type TopicId } from '../../../schemas/topics.ts';
import type { LogReader } from '../../runtime/log/ports.ts';
import { never, type MemoryLog } from '../memory-log.ts';
import type { Random } from './random.ts';

/** Outlives the sink's process. */
export class SinkEngine {
  readonly rows = new Map<string, string>();
  readonly written = new Map<string, number>();
  doubled = 0;
}

const SINK_BYTES = 1 << 20;
const WAIT_MS = 50;

export class SinkModel {
  readonly #log: MemoryLog;
  readonly #engine: SinkEngine;
  readonly #random: Random;
  readonly #isCalm: () => boolean;

  constructor(log: MemoryLog, engine: SinkEngine, random: Random, isCalm: () => boolean) {
    this.#log = log;
    this.#engine = engine;
    this.#random = random;
    this.#isCalm = isCalm;
  }

  /** Runs until its process is killed. */
  async run(): Promise<void> {
    while (!this.#log.dead) {
      const reader = this.#log.reader();
      await reader.start(await this.#positions());
      while (await this.#step(reader));
      await reader.close();
    }
    await never;
  }

  async #positions() {
    const positions = [];
    for (const topic of topicIds) {
      for (const partition of (await this.#log.admin.endOffsets(topic)).keys()) {
        const offset = this.#engine.written.get(`${topic}/${String(partition)}`) ?? 0;
        positions.push({ topic, partition, offset });
      }
    }
    return positions;
  }

  /** False after a failed insert: everything is read again from what is written down. */
  async #step(reader: LogReader): Promise<boolean> {
    for (const slice of reader.take(SINK_BYTES)) {
      const rows = new Map<string, string>();
      slice.forEach((record) => {
        const value = record.bytes.toString('base64', record.valueStart, record.valueEnd);
        rows.set(placeOf(slice.topic, slice.partition, record.offset), value);
      });
      const next = slice.next;
      slice.release();
      if (!(await this.#insert(rows))) return false;
      const key = `${slice.topic}/${String(slice.partition)}`;
      this.#engine.written.set(key, Math.max(next, this.#engine.written.get(key) ?? 0));
    }
    await reader.wait(WAIT_MS);
    return true;
  }

  async #insert(rows: ReadonlyMap<string, string>): Promise<boolean> {
    const calm = this.#isCalm();
    await this.#log.pause(calm ? 1 : this.#random.below(this.#random.chance(0.02) ? 3_000 : 20));
    if (!calm && this.#random.chance(0.02)) return false;
    for (const [place, value] of rows) {
      const known = this.#engine.rows.get(place);
      if (known !== undefined && known !== value) this.#engine.doubled += 1;
      this.#engine.rows.set(place, value);
    }
    return calm || !this.#random.chance(0.02);
  }
}

export function placeOf(topic: TopicId, partition: number, offset: number): string {
  return `${topic}/${String(partition)}/${String(offset)}`;
}
