/**
 * What a decision of identity costs as the graph grows, on the real keyed store: the processor alone, without a broker.
 * `npm run bench -- identity [--identifiers 100000,1000000] [--calls 20000] [--rounds 5] [--folder DIR]`
 *
 * Every person has an id, an email and an anonymous id, which makes three identifiers. At each size it measures, in
 * rounds of so many calls each, of which it gives the lowest, the median and the highest: claims of new people (three look-ups that miss, five rows written), claims of a known person by another
 * visitor, and resolves of known people chosen at random over the whole graph (so most of their pages were not read
 * lately). All times are CPU of the process. Writing out the committed batches is measured apart: it is not part of a
 * decision, but the process does it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { localCodecs } from '../schemas/codec.ts';
import type { IdentityRequest } from '../schemas/records.ts';
import { identityService } from '../services/identity/service.ts';
import { Definitions } from '../services/runtime/definitions.ts';
import type { InputRecord } from '../services/runtime/log/ports.ts';
import { openPartitionStores } from '../services/runtime/store/open-stores.ts';

const IDENTIFIERS_A_PERSON = 3;
const BATCH_RECORDS = 500;
const BATCHES_A_FLUSH = 20;
const START = 1_700_000_000_000;

/** µs of CPU a call. */
interface Round {
  readonly resolveMicros: number;
  readonly knownClaimMicros: number;
  readonly newClaimMicros: number;
  readonly flushMicros: number;
}
const columns = ['resolveMicros', 'knownClaimMicros', 'newClaimMicros', 'flushMicros'] as const;
interface Size {
  readonly identifiers: number;
  readonly rounds: readonly Round[];
}

export async function bench(
  args: readonly string[],
): Promise<readonly Readonly<Record<string, number | string>>[]> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      identifiers: { type: 'string', default: '100000,1000000' },
      calls: { type: 'string', default: '20000' },
      rounds: { type: 'string', default: '5' },
      folder: { type: 'string' },
    },
  });
  const sizes = values.identifiers.split(',').map(Number);
  const calls = Number(values.calls);
  const rounds = Number(values.rounds);
  const folder = await mkdtemp(join(values.folder ?? tmpdir(), 'hindsight-bench-identity-'));
  try {
    const run = new IdentityRun(folder);
    await run.claimsOfNew(calls); // warm-up: the first calls pay for compiling
    const measured: Size[] = [];
    for (const identifiers of sizes) {
      while (run.identifiers < identifiers) {
        const missing = Math.ceil((identifiers - run.identifiers) / IDENTIFIERS_A_PERSON);
        await run.claimsOfNew(Math.min(50_000, missing));
      }
      const size = { identifiers: run.identifiers, rounds: [] as Round[] };
      for (let round = 0; round < rounds; round += 1) size.rounds.push(await run.measure(calls));
      measured.push(size);
    }
    run.close();
    return measured.map((size) => rowOf(size, measured[0] ?? size));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class IdentityRun {
  readonly #codecs = localCodecs();
  readonly #stores;
  readonly #processor;
  readonly #definitions = new Definitions();
  readonly #out = { emit: () => undefined, emitTo: () => undefined };
  #sequence = 0;
  #people = 0;
  #requests = 0;
  #sinceFlush = 0;
  #seed = 1;
  flushMs = 0;

  constructor(folder: string) {
    this.#stores = openPartitionStores(folder, identityService.stores);
    this.#processor = identityService.open(0, 8, this.#stores, this.#codecs);
  }

  get identifiers(): number {
    return this.#people * IDENTIFIERS_A_PERSON;
  }

  async measure(calls: number): Promise<Round> {
    this.flushMs = 0;
    const micros = (ms: number): number => Math.round((ms * 10_000) / calls) / 10;
    const round = {
      resolveMicros: micros(await this.resolvesOfKnown(calls)),
      knownClaimMicros: micros(await this.claimsOfKnown(calls)),
      newClaimMicros: micros(await this.claimsOfNew(calls)),
    };
    return { ...round, flushMicros: micros(this.flushMs / 3) };
  }

  /** Each returns milliseconds of CPU spent in the processor. */
  claimsOfNew(count: number): Promise<number> {
    return this.#feed(count, () => {
      this.#people += 1;
      const who = String(this.#people);
      return {
        ...claim,
        identifier: `user-${who}`,
        email: `user-${who}@example.com`,
        ...visitor(`first-${who}`),
      };
    });
  }

  claimsOfKnown(count: number): Promise<number> {
    return this.#feed(count, () => {
      const another = `another-${String(this.#requests)}`;
      return { ...claim, identifier: `user-${String(this.#someone())}`, ...visitor(another) };
    });
  }

  resolvesOfKnown(count: number): Promise<number> {
    return this.#feed(count, () => {
      const identifier = `user-${String(this.#someone())}@example.com`;
      return {
        ...claim,
        kind: 'resolve',
        identifier_kind: 'email',
        identifier,
        lane: `shop:e:${identifier}`,
      };
    });
  }

  close(): void {
    this.#stores.close();
  }

  async #feed(count: number, next: () => IdentityRequest): Promise<number> {
    let ms = 0;
    for (let done = 0; done < count; done += BATCH_RECORDS) {
      const records = Array.from({ length: Math.min(BATCH_RECORDS, count - done) }, () =>
        this.#record(next()),
      );
      this.#sequence += 1;
      const batch = { sequence: this.#sequence, time: START, definitions: this.#definitions };
      const begin = cpuMs();
      for (const record of records) this.#processor.onRecord(record, batch, this.#out);
      this.#processor.onBatchEnd(batch, this.#out);
      ms += cpuMs() - begin;
      this.#stores.committed(this.#sequence);
      this.#flushInGroups();
      await setImmediate(); // as in the shell between batches: what the store does behind a commit gets its turn
    }
    return ms;
  }

  #flushInGroups(): void {
    this.#sinceFlush += 1;
    if (this.#sinceFlush < BATCHES_A_FLUSH) return;
    this.#sinceFlush = 0;
    const begin = cpuMs();
    this.#stores.flush();
    this.flushMs += cpuMs() - begin;
  }

  #record(request: IdentityRequest): InputRecord {
    this.#requests += 1;
    const numbered = { ...request, request_number: this.#requests, source_offset: this.#requests };
    const bytes = this.#codecs.IdentityRequest.encode(numbered);
    return {
      topic: 'identityRequests',
      partition: 0,
      offset: this.#requests,
      appendedAt: START,
      bytes,
      keyStart: 0,
      keyEnd: 0,
      valueStart: 0,
      valueEnd: bytes.length,
    };
  }

  /** One of the people, evenly; the same in every run. */
  #someone(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647;
    return 1 + (this.#seed % this.#people);
  }
}

/** Time of this process on a core, so that what else the machine does is not measured. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const claim: IdentityRequest = {
  kind: 'claim',
  workspace: 'shop',
  received_at: START,
  lane: null,
  request_number: 0,
  source_partition: 0,
  source_offset: 0,
  positions: [],
  anonymous_id: null,
  identifier_kind: 'id',
  identifier: null,
  id: null,
  email: null,
  cio_id: null,
  update_only: false,
  message_id: 'message',
  other_kind: 'none',
  other: null,
  detail: null,
};

function visitor(anonymousId: string): Pick<IdentityRequest, 'anonymous_id' | 'lane'> {
  return { anonymous_id: anonymousId, lane: `shop:a:${anonymousId}` };
}

/** Growth: how much dearer a decision is than at the first size, by the medians; of the three kinds, the one that grew most. */
function rowOf({ identifiers, rounds }: Size, first: Size): Readonly<Record<string, number | string>> {
  const spread = columns.map((column): [string, string] => {
    const values = ordered(rounds, column);
    return [column, [values[0], median(values), values.at(-1)].map(String).join(' / ')];
  });
  const growths = columns
    .filter((column) => column !== 'flushMicros')
    .map((column) => median(ordered(rounds, column)) / median(ordered(first.rounds, column)));
  return { identifiers, ...Object.fromEntries(spread), growth: Math.round(Math.max(...growths) * 100) / 100 };
}

function ordered(rounds: readonly Round[], column: keyof Round): readonly number[] {
  return rounds.map((round) => round[column]).sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return values[Math.floor(values.length / 2)] ?? NaN;
}
