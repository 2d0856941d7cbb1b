/**
 * ClickHouse as the sink meets it on a bad day. A table is a list that rows are appended to, so what comes twice is
 * there twice. An insert is cut into parts, each of which goes in whole or not at all and is known by the insert's token
 * for a while: a part that comes again under it is not appended.
 *
 * What may happen to an insert: it is refused; its answer is lost; its client gives up and it goes on all the same, for
 * seconds; it fails half way, with some parts in; the engine is killed after it has noted a part's token and before it
 * has the part, which is lost (seen on the real one).
 */
import { CodedError } from '../../runtime/errors.ts';
import type { Insert, Target } from '../../sink/target.ts';
import type { Present } from '../../sink/ranges.ts';
import { never, type MemoryLog } from '../memory/memory-log.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { Random } from '../random.ts';
import { rowsOf, type StoredRow } from './stored-rows.ts';

export type Misfortune = 'none' | 'refused' | 'answer_lost' | 'given_up' | 'half_way' | 'token_only';

/** The real tables remember ten thousand. */
const TOKENS_MAX = 500;
const PARTS_MAX = 3;
const INSERT_MS_MAX = 20;
const GIVEN_UP_MS_MAX = 5_000;
const TROUBLE_PROBABILITY = 0.15;
const troubles: readonly Misfortune[] = ['refused', 'answer_lost', 'given_up', 'half_way', 'token_only'];

export interface EngineOptions {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly isCalm: () => boolean;
}

class Table {
  readonly rows: StoredRow[] = [];
  readonly #tokens = new Set<string>();

  /** False when it is known already. */
  note(token: string): boolean {
    if (this.#tokens.has(token)) return false;
    this.#tokens.add(token);
    for (const oldest of this.#tokens) {
      if (this.#tokens.size <= TOKENS_MAX) break;
      this.#tokens.delete(oldest);
    }
    return true;
  }
}

export class EngineModel {
  readonly #options: EngineOptions;
  readonly #tables = new Map<string, Table>();
  readonly troubles: Partial<Record<Misfortune, number>> = {};

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  rows(table: string): readonly StoredRow[] {
    return this.#table(table).rows;
  }

  /** As one process sees it: once that is dead nothing answers, though the engine goes on with what it was given. */
  connect(log: MemoryLog): Target {
    const whileAlive = async <Result>(work: Promise<Result>): Promise<Result> => {
      const outcome = await work.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      if (log.dead) return never;
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    };
    return {
      shards: 1,
      check: () => whileAlive(this.#answer(() => undefined)),
      insert: (insert) => whileAlive(this.#insert(insert)),
      present: (table, ranges) =>
        whileAlive(
          this.#answer(() => {
            const present = new Map<number, Set<number>>();
            for (const { partition, from, to } of ranges) {
              const rows = this.#table(table).rows.filter((row) => row.partition === partition);
              const offsets = rows
                .map(({ offset }) => offset)
                .filter((offset) => offset >= from && offset < to);
              present.set(partition, new Set(offsets));
            }
            return present satisfies Present;
          }),
        ),
      greatest: (table) =>
        whileAlive(
          this.#answer(() => {
            const greatest = new Map<number, number>();
            for (const { partition, offset } of this.#table(table).rows) {
              greatest.set(partition, Math.max(offset, greatest.get(partition) ?? 0));
            }
            return greatest;
          }),
        ),
      writeWatermarks: () => whileAlive(this.#answer(() => undefined)),
      refreshToday: () => whileAlive(this.#answer(() => [])),
      ask: () => notModelled(),
      command: () => notModelled(),
      alter: () => notModelled(),
      partitionsOf: () => notModelled(),
      close: () => Promise.resolve(),
    };
  }

  async #answer<Result>(ask: () => Result): Promise<Result> {
    const { time, random, isCalm } = this.#options;
    await time.sleep(isCalm() ? 1 : random.below(INSERT_MS_MAX));
    if (!isCalm() && random.chance(TROUBLE_PROBABILITY / 2)) throw unanswered();
    return ask();
  }

  async #insert({ table: name, rows: bytes, token }: Insert): Promise<void> {
    const { time, random, isCalm } = this.#options;
    const rows = rowsOf(name, Buffer.from(bytes)); // the client uses its buffer again
    const trouble =
      isCalm() || !random.chance(TROUBLE_PROBABILITY) ? 'none' : (random.pick(troubles) ?? 'none');
    this.troubles[trouble] = (this.troubles[trouble] ?? 0) + 1;
    await time.sleep(isCalm() ? 1 : random.below(INSERT_MS_MAX));
    if (trouble === 'refused') throw unanswered();
    if (trouble === 'given_up') {
      void time.sleep(random.below(GIVEN_UP_MS_MAX)).then(() => {
        this.#append(name, rows, { token, parts: PARTS_MAX, lost: false });
      });
      throw unanswered();
    }
    const broken = trouble === 'half_way' || trouble === 'token_only';
    const parts = broken ? random.below(PARTS_MAX) : PARTS_MAX;
    this.#append(name, rows, { token, parts, lost: trouble === 'token_only' });
    if (broken || trouble === 'answer_lost') throw unanswered();
  }

  /** The first parts go in; of the next one only the token, if it is lost. */
  #append(
    name: string,
    rows: readonly StoredRow[],
    { token, parts, lost }: { readonly token: string; readonly parts: number; readonly lost: boolean },
  ): void {
    const table = this.#table(name);
    for (let part = 0; part < PARTS_MAX; part += 1) {
      const partRows = rows.filter(({ partition }) => partition % PARTS_MAX === part);
      if (partRows.length === 0 || part > parts || (part === parts && !lost)) continue;
      const isNew = table.note(`${token} ${String(part)}`);
      if (isNew && part < parts) table.rows.push(...partRows);
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name) ?? new Table();
    this.#tables.set(name, table);
    return table;
  }
}

function unanswered(): CodedError {
  return new CodedError('clickhouse_unavailable', 'could not insert: nobody answered');
}

function notModelled(): Promise<never> {
  return Promise.reject(new Error('the sink asks this of the engine in its chores only'));
}
