/**
 * Reads the past of rules for the partitions of this process, one after the other, once ClickHouse has all that lies before
 * their fences, and tells each on trigger.transfers. What it says twice changes nothing there, so it begins again where the
 * partition is after whatever goes wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import type { Log, Producer } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ReplayedRules } from '../decide/replayed-rules.ts';
import { encodePast, type PastMessage } from '../past-messages.ts';
import type { WantedPast } from '../pasts.ts';
import type { PastHistories, PastSource } from './source.ts';
import { stretches } from './stretches.ts';
import { triggerStretches } from './trigger-stretches.ts';

const pauseMs = 200;
const pauseMsAfterError = 2_000;
/** What was told and is still wanted was lost or passed over, and is told again after so long. */
const againMs = 30_000;
/** Its offsets say how far ClickHouse is (services/sink). */
const SINK_GROUP = 'clickhouse';

export interface PastReaderOptions {
  readonly wanted: () => readonly WantedPast[];
  readonly source: PastSource;
  readonly placing: PastHistories;
  /** Rules that a journey's past goes by; undefined: there is none that can be read. */
  readonly replayed: (workspace: string, journeyId: string) => ReplayedRules | undefined;
  readonly admin: Pick<Log['admin'], 'committedOffsets'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly codecs: Pick<Codecs, 'Transfer'>;
  readonly logger: Logger;
}

export class PastReader {
  readonly #options: PastReaderOptions;
  readonly #ended = new AbortController();
  /** When it was told, by what; of what is still wanted. */
  readonly #told = new Map<string, number>();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: PastReaderOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#loop;
  }

  #isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!this.#isEnded()) {
      let ms = pauseMs;
      try {
        await this.#round();
      } catch (error) {
        if (this.#isEnded()) return;
        this.#options.logger.warn({ error }, 'the past of a rule could not be read yet; it is tried again');
        ms = pauseMsAfterError;
      }
      await sleep(ms, undefined, { signal }).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const { wanted, admin } = this.#options;
    const asked = wanted();
    const names = new Set(asked.map(nameOf));
    for (const name of this.#told.keys()) if (!names.has(name)) this.#told.delete(name);
    const now = performance.now();
    const open = asked.filter((one) => now - (this.#told.get(nameOf(one)) ?? -Infinity) >= againMs);
    if (open.length === 0) return;
    const written = await admin.committedOffsets(SINK_GROUP, 'eventsMerged');
    for (const one of open) {
      if (this.#isEnded()) return;
      const isThere = one.rules.every(({ fence }) => (written[one.partition]?.offset ?? 0) >= fence);
      if (!isThere) continue;
      await this.#tell(one);
      this.#told.set(nameOf(one), performance.now());
    }
  }

  async #tell(wanted: WantedPast): Promise<void> {
    const { producer, codecs } = this.#options;
    const { workspace, partition } = wanted;
    const key = Buffer.from(`${workspace}:`);
    for await (const message of this.#messages(wanted)) {
      if (this.#isEnded()) return;
      await producer.send('triggerTransfers', key, encodePast(codecs, workspace, '', message), partition);
    }
  }

  #messages(wanted: WantedPast): AsyncIterable<PastMessage> {
    const { source, placing, replayed } = this.#options;
    if (wanted.placing === undefined) return stretches(wanted, source);
    const rules = replayed(wanted.workspace, wanted.placing.journeyId);
    if (rules !== undefined) return triggerStretches(wanted, placing, rules);
    return nothing(wanted);
  }
}

/** A journey that this version cannot read lets nobody in. */
async function* nothing({ rules }: WantedPast): AsyncGenerator<PastMessage> {
  const versions = Object.fromEntries(rules.map(({ key, version }) => [key, version]));
  yield await Promise.resolve({ type: 'end', rules: versions, from: '' });
}

function nameOf({ workspace, partition, rules }: WantedPast): string {
  const versions = rules.map(({ key, version }) => `${key} ${String(version)}`);
  return [workspace, String(partition), ...versions].join(' ');
}
