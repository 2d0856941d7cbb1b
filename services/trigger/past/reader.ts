/**
 * Reads the past of rules for the partitions of this process, once ClickHouse has all that lies before their fences, and
 * tells each on trigger.transfers. Partitions that want the same are read at once. What it says twice changes nothing there,
 * so it begins again where each partition is after whatever goes wrong.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { Log, Producer } from '../../runtime/log/ports.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { ReplayedRules } from '../decide/replayed-rules.ts';
import { encodePast, type PastMessage } from '../past-messages.ts';
import { fenceOf, readAs, type WantedPast } from '../wanted-past.ts';
import { apartMessages } from './apart-messages.ts';
import { PacedReplays } from './paced-replays.ts';
import type { PastHistories, PastSource } from './source.ts';
import { stretches, type Told } from './stretches.ts';
import { toldTo, together, versionsOf, type Together } from './together.ts';
import { triggerStretches, type TriggersRead } from './trigger-stretches.ts';

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
  readonly admin: Pick<Log['admin'], 'committedOffsets' | 'endOffsets'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly codecs: Pick<Codecs, 'Transfer'>;
  readonly logger: Logger;
}

export class PastReader {
  readonly #options: PastReaderOptions;
  readonly #ended = new AbortController();
  readonly #pace = new PacedReplays();
  /** When it was told, by what; of what is still wanted. */
  readonly #told = new Map<string, number>();
  /** Ends of the topic that is waited for whole, when it was first wanted. */
  readonly #ends = new Map<string, readonly number[]>();
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
      let isWhole = false;
      try {
        isWhole = await this.#round();
      } catch (error) {
        this.#warn(error);
      }
      await sleep(isWhole ? pauseMs : pauseMsAfterError, undefined, { signal }).catch(() => undefined);
    }
  }

  #warn(error: unknown): void {
    if (this.#isEnded()) return;
    this.#options.logger.warn({ error }, 'the past of a rule could not be read yet; it is tried again');
  }

  /** False where something went wrong. */
  async #round(): Promise<boolean> {
    const { wanted, admin } = this.#options;
    const asked = wanted();
    const names = new Set(asked.map(nameOf));
    for (const known of [this.#told, this.#ends]) {
      for (const name of known.keys()) if (!names.has(name)) known.delete(name);
    }
    const now = performance.now();
    const open = asked.filter((one) => now - (this.#told.get(nameOf(one)) ?? -Infinity) >= againMs);
    if (open.length === 0) return true;
    const [facts, written, people] = [
      await admin.committedOffsets(SINK_GROUP, 'identityLog'),
      await admin.committedOffsets(SINK_GROUP, 'eventsMerged'),
      await admin.committedOffsets(SINK_GROUP, 'peopleChanged'),
    ];
    const there: WantedPast[] = [];
    for (const one of open) {
      if (one.apart === undefined && !isWritten(fencesOf(one), written)) continue;
      // What was theirs before lies on whichever partition; and whom a journey's past is of has to be known.
      const wholly = one.apart !== undefined ? 'eventsMerged' : one.placing && 'peopleChanged';
      const ends = wholly === undefined ? [] : await this.#endsFor(one, wholly);
      if (isWritten(ends, wholly === 'eventsMerged' ? written : people)) there.push(one);
    }
    let isWhole = true;
    for (const group of together(there)) {
      if (this.#isEnded()) break;
      const factsTo = facts[partitionOf(group[0].workspace, facts.length)]?.offset ?? 0;
      // What cannot be read, because a rule asks for more than a reading may take, holds up no other.
      const isTold = await this.#tell(group, factsTo).catch((error: unknown) => {
        this.#warn(error);
        return undefined;
      });
      if (isTold === true) for (const one of group) this.#told.set(nameOf(one), performance.now());
      isWhole &&= isTold !== undefined;
    }
    return isWhole;
  }

  /** As they were when this was first wanted. */
  async #endsFor(wanted: WantedPast, topic: 'eventsMerged' | 'peopleChanged'): Promise<readonly number[]> {
    const known = this.#ends.get(nameOf(wanted));
    if (known !== undefined) return known;
    const ends = await this.#options.admin.endOffsets(topic);
    this.#ends.set(nameOf(wanted), ends);
    return ends;
  }

  /** False when there was nothing to tell yet. */
  async #tell(wanted: Together, factsTo: number): Promise<boolean> {
    const { producer, codecs } = this.#options;
    const [{ workspace }] = wanted;
    const key = Buffer.from(`${workspace}:`);
    let isTold = false;
    for await (const { partition, message } of this.#messages(wanted, factsTo)) {
      if (this.#isEnded()) return false;
      await producer.send('triggerTransfers', key, encodePast(codecs, workspace, '', message), partition);
      isTold = true;
    }
    return isTold;
  }

  #messages(group: Together, factsTo: number): AsyncIterable<Told> {
    const [wanted] = group;
    if (wanted.apart === undefined && wanted.placing === undefined) {
      return stretches(group, this.#options.source, factsTo);
    }
    return toldTo(wanted.partition, this.#messagesOf(wanted, factsTo));
  }

  #messagesOf(wanted: WantedPast, factsTo: number): AsyncIterable<PastMessage> {
    const { source, placing, replayed: rulesOf } = this.#options;
    if (wanted.apart !== undefined) return apartMessages(wanted, source, factsTo);
    const replayed =
      wanted.placing === undefined ? undefined : rulesOf(wanted.workspace, wanted.placing.journeyId);
    if (replayed !== undefined) {
      const run: TriggersRead['run'] = (steps) => this.#pace.run(steps);
      return triggerStretches(wanted, placing, { replayed, factsTo, run });
    }
    return nothing(wanted);
  }
}

/** @param ends by partition; none where nothing of it is waited for. */
function isWritten(ends: readonly number[], written: readonly { readonly offset: number | null }[]): boolean {
  return !ends.some((end, partition) => (written[partition]?.offset ?? 0) < end);
}

/** By partition. */
function fencesOf(wanted: WantedPast): readonly number[] {
  const fences: number[] = [];
  fences[wanted.partition] = fenceOf(wanted);
  return fences;
}

/** A journey that this version cannot read lets nobody in. */
async function* nothing(wanted: WantedPast): AsyncGenerator<PastMessage> {
  const versions = Object.fromEntries(wanted.rules.map(({ key, version }) => [key, version]));
  yield await Promise.resolve({ type: 'end', rules: versions, from: '', ...readAs(wanted) });
}

function nameOf(wanted: WantedPast): string {
  const { partition, apart } = wanted;
  const person = apart === undefined ? [] : [`${apart.personId} ${String(apart.clearedBy)}`];
  return [versionsOf(wanted), String(partition), ...person].join(' ');
}
