/** Tells one visitor's story live: makes the calls, watches topics and tables, prints each step with its time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs, RecordName } from '../../schemas/codec.ts';
import type { MergedEvent, Records } from '../../schemas/records.ts';
import type { TopicId } from '../../schemas/topics.ts';
import type { Log, LogReader } from '../../services/runtime/log/ports.ts';
import { CodedError } from '../../services/runtime/errors.ts';
import { rules } from './rules.ts';
import type { Shop } from './send.ts';
import type { Visitor } from './calls.ts';
import type { Tables } from './tables.ts';

export interface StoryOptions {
  readonly visitor: Visitor;
  readonly shop: Shop;
  readonly tables: Tables;
  readonly log: Log;
  readonly codecs: Codecs;
  readonly workspace: string;
  readonly print: (line: string) => void;
}

const TOPICS = ['eventsMerged', 'segmentsChanged', 'journeysEntered'] as const satisfies readonly TopicId[];
const storyMs = 30_000;

export async function tellStory(options: StoryOptions): Promise<void> {
  const { visitor, shop, print } = options;
  const identifyAt = visitor.calls.findIndex((call) => call.type === 'identify');
  const identify = visitor.calls[identifyAt];
  if (identify?.type !== 'identify')
    throw new CodedError('no_story', 'could not tell a story: the visitor is never identified');
  const watch = new Watch(options);
  await watch.start();
  print(`Visitor ${String(identify.anonymousId)}, whom nobody knows:`);
  for (const call of visitor.calls.slice(0, identifyAt)) {
    await shop.make(call);
    if (call.type === 'event' || call.type === 'page') print(`   ${call.type.padEnd(6)} ${call.name}`);
  }
  const past = new Set(
    visitor.calls.slice(0, identifyAt).flatMap((call) => {
      if (call.type === 'repeat') return [call.of.messageId];
      return call.type === 'show' ? [] : [call.messageId];
    }),
  ).size;
  const start = performance.now();
  await shop.make(identify);
  print(`   identify ${identify.userId}: from here on the clock runs`);
  print(step(performance.now() - start, 'the identify is acknowledged'));
  await watch.tell(past, start);
  for (const call of visitor.calls.slice(identifyAt + 1)) await shop.make(call);
}

/** Reads the public topics from their present ends on, and the tables, until the story is complete. */
class Watch {
  readonly #options: StoryOptions;
  readonly #reader: LogReader;
  readonly #told = new Set<string>();
  #personId: string | undefined;
  #merged = 0;

  constructor(options: StoryOptions) {
    this.#options = options;
    this.#reader = options.log.reader({ bufferBytesMax: 8 << 20, fetchBytesMax: 1 << 20, waitMsMax: 20 });
  }

  async start(): Promise<void> {
    const positions = await Promise.all(
      TOPICS.map(async (topic) => {
        const ends = await this.#options.log.admin.endOffsets(topic);
        return ends.map((offset, partition) => ({ topic, partition, offset }));
      }),
    );
    await this.#reader.start(positions.flat());
  }

  async tell(past: number, start: number): Promise<void> {
    const { print, tables } = this.#options;
    const identified = async (): Promise<boolean> => {
      await this.#read(past, start);
      return this.#told.has('history') && this.#told.has('segment') && this.#told.has('journey');
    };
    await until(identified, start);
    await until(async () => (await tables.countOf(this.#personId ?? '')) >= past, start);
    print(
      step(
        performance.now() - start,
        `ClickHouse: ${String(past)} rows of ${this.#personId ?? ''} in events`,
      ),
    );
    await this.#reader.close();
  }

  async #read(past: number, start: number): Promise<void> {
    await this.#reader.wait(20);
    for (const slice of this.#reader.take(1 << 20)) {
      slice.forEach(({ topic, bytes, valueStart, valueEnd }) => {
        this.#onRecord(topic, bytes.subarray(valueStart, valueEnd), { past, start });
      });
      slice.release();
    }
  }

  #onRecord(
    topic: TopicId,
    value: Buffer,
    { past, start }: { readonly past: number; readonly start: number },
  ): void {
    const ms = performance.now() - start;
    if (topic === 'eventsMerged') {
      const record = this.#decode('MergedEvent', value);
      if (!this.#isOfTheVisitor(record)) return;
      this.#personId = record.person_id;
      this.#merged += 1;
      const first = `the first of ${String(past)} anonymous events is ${record.person_id}'s`;
      if (this.#merged === 1) this.#say('first', step(ms, first));
      const last = 'the last of them, in order: the past is on the profile';
      if (this.#merged === past) this.#say('history', step(ms, last));
    } else if (topic === 'segmentsChanged') {
      const { person_id, segment_id, change } = this.#decode('SegmentChange', value);
      const isTold = person_id === this.#personId && segment_id === rules.segments[0]?.id;
      if (isTold) this.#say('segment', step(ms, `segment ${segment_id}: ${change}`));
    } else if (topic === 'journeysEntered') {
      const { person_id, journey_id } = this.#decode('JourneyEntry', value);
      if (person_id === this.#personId) this.#say('journey', step(ms, `journey ${journey_id}: entered`));
    }
  }

  #isOfTheVisitor({ kind, workspace, previously_anonymous, event }: MergedEvent): boolean {
    if (kind !== 'event' || !previously_anonymous || workspace !== this.#options.workspace) return false;
    const [first] = this.#options.visitor.calls;
    return first !== undefined && 'anonymousId' in first && event?.anonymous_id === first.anonymousId;
  }

  #decode<Name extends RecordName>(name: Name, value: Buffer): Records[Name] {
    return this.#options.codecs[name].decode(value);
  }
  #say(what: string, line: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#options.print(line);
  }
}

async function until(done: () => Promise<boolean>, start: number): Promise<void> {
  while (!(await done())) {
    if (performance.now() - start > storyMs) {
      throw new CodedError(
        'story_incomplete',
        `could not tell the story to its end within ${String(storyMs / 1000)} s`,
      );
    }
    await sleep(5);
  }
}

function step(ms: number, text: string): string {
  return `   ${`+${ms.toFixed(0)} ms`.padStart(9)}  ${text}`;
}
