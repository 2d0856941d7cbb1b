/**
 * The `definitions` topic as the gateway sees it: folded from its start and kept up with, and written by it alone. A
 * write numbers its record from the fold, so writes go one after another, and each ends when its own record has come
 * back: what was answered is what every reader will see.
 */
import { UnknownSchemaError, type Codec } from '../../schemas/codec.ts';
import type { Definition } from '../../schemas/records.ts';
import type { DefinitionWrite } from '../app/ports.ts';
import { Definitions, type StoredDefinition } from '../runtime/definitions.ts';
import { assert, CodedError } from '../runtime/errors.ts';
import type { Log, LogReader, Producer } from '../runtime/log/ports.ts';
import type { Logger } from '../runtime/logger.ts';
import { measuredPatterns } from '../runtime/stored-patterns.ts';

const bufferBytesMax = 8 * 1_024 * 1_024;
const fetchBytesMax = 1_024 * 1_024;
const waitMsMax = 500;
const foldWaitMsMax = 10_000;
const retryPauseMs = 500;
export const writesWaitingMax = 1_000;

export interface DefinitionsLogOptions {
  readonly log: Pick<Log, 'admin' | 'reader'>;
  readonly producer: Pick<Producer, 'send'>;
  readonly codec: Codec<'Definition'>;
  readonly logger: Logger;
  /** Teaches the codec a schema that it does not know. */
  readonly learnSchema: (schemaId: number) => Promise<void>;
  /** ms; the standing clock where there is one, so that a definition is as old as the events around it. */
  readonly now: () => number;
}

interface Waiter {
  readonly isDone: () => boolean;
  readonly resolve: () => void;
}

export class DefinitionsLog {
  readonly #options: DefinitionsLogOptions;
  readonly #fold = new Definitions();
  /** Deleted ones too, so that a definition made again goes on counting. */
  readonly #versions = new Map<string, number>();
  readonly #waiters = new Set<Waiter>();
  #reader: LogReader | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(options: DefinitionsLogOptions) {
    this.#options = options;
  }

  /** Resolves when everything that the topic held at the call is folded. */
  async open(): Promise<void> {
    const [end = 0] = await this.#options.log.admin.endOffsets('definitions');
    await this.#startReader();
    void this.#follow();
    await this.#until(() => this.offset >= end);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#reader?.close();
  }

  get offset(): number {
    return this.#fold.offset;
  }
  get clock(): number | undefined {
    return this.#fold.clock;
  }
  get(kind: Definition['kind'], workspace: string, id: string): StoredDefinition | undefined {
    return this.#fold.get(kind, workspace, id);
  }
  list(kind: Definition['kind'], workspace: string): readonly StoredDefinition[] {
    return this.#fold.list(kind, workspace);
  }

  /** What the broker now has; undefined when it would be one more than `countMax` or may not be. */
  put(
    kind: Definition['kind'],
    workspace: string,
    id: string,
    { body, countMax = Infinity, mayStore }: DefinitionWrite,
  ): Promise<StoredDefinition | undefined> {
    return this.#inTurn(async () => {
      const isNew = this.get(kind, workspace, id) === undefined;
      if (isNew && this.list(kind, workspace).length >= countMax) return undefined;
      if (mayStore?.() === false) return undefined;
      await this.#write({ kind, workspace, id, at: this.#options.now(), body: JSON.stringify(body) });
      const stored = this.get(kind, workspace, id);
      assert(stored !== undefined, 'a definition that was written is in the fold');
      return stored;
    });
  }

  /** The version that says it is gone; undefined when it was not there. */
  remove(kind: Definition['kind'], workspace: string, id: string): Promise<number | undefined> {
    return this.#inTurn(async () => {
      if (this.get(kind, workspace, id) === undefined) return undefined;
      return await this.#write({ kind, workspace, id, at: this.#options.now(), body: null });
    });
  }

  /** Several calls that ask for one time write it once. */
  advanceClockTo(time: number): Promise<void> {
    return this.#inTurn(async () => {
      if (time <= (this.clock ?? -Infinity)) return;
      await this.#write({ kind: 'clock', workspace: '', id: 'clock', at: time, body: null });
    });
  }

  async #write(definition: Omit<Definition, 'version' | 'deleted'>): Promise<number> {
    const key = keyOf(definition);
    const version = (this.#versions.get(key) ?? 0) + 1;
    const deleted = definition.body === null && definition.kind !== 'clock';
    const value = this.#options.codec.encode({ ...definition, version, deleted });
    await this.#options.producer.send('definitions', Buffer.from(key), value);
    await this.#until(() => (this.#versions.get(key) ?? 0) >= version);
    return version;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= writesWaitingMax) {
      const message = 'could not store a definition: too many are waiting';
      return Promise.reject(new CodedError('definitions_overloaded', message));
    }
    this.#waiting++;
    const turn = this.#tail.then(work).finally(() => {
      this.#waiting--;
    });
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async #startReader(): Promise<void> {
    const { log } = this.#options;
    this.#reader = log.reader({ bufferBytesMax, fetchBytesMax, waitMsMax });
    await this.#reader.start([{ topic: 'definitions', partition: 0, offset: this.offset }]);
  }

  /** Reads for ever; a reader that fails is replaced where it stood. */
  async #follow(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#reader?.wait(waitMsMax);
        this.#take();
      } catch (error) {
        await this.#startAgain(error);
      }
    }
  }

  async #startAgain(error: unknown): Promise<void> {
    if (this.#closed) return;
    this.#options.logger.warn({ error }, 'reading the definitions failed and starts again');
    await this.#reader?.close().catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
    try {
      // A newer version of this product may have written it.
      if (error instanceof UnknownSchemaError) await this.#options.learnSchema(error.schemaId);
      await this.#startReader();
    } catch (cause) {
      this.#options.logger.warn({ error: cause }, 'reading the definitions could not start again yet');
    }
  }

  #take(): void {
    for (const slice of this.#reader?.take(bufferBytesMax) ?? []) {
      slice.forEach(({ offset, bytes, valueStart, valueEnd }) => {
        if (offset < this.offset) return; // read before: a reader that starts again may bring a batch twice
        const record = this.#options.codec.decode(bytes, valueStart, valueEnd);
        this.#fold.apply(offset, record);
        this.#versions.set(keyOf(record), record.version);
        this.#sayIfOverBounds(record);
      });
      this.#fold.offset = Math.max(this.#fold.offset, slice.next);
      slice.release();
    }
    for (const waiter of this.#waiters) {
      if (!waiter.isDone()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  /** No PUT stores such a definition any more, so there are few, and each is said once a start. */
  #sayIfOverBounds({ kind, workspace, id }: Definition): void {
    const { faults } = measuredPatterns(this.get(kind, workspace, id)?.body);
    if (faults.length === 0) return;
    const what = { kind, workspace, id, faults: faults.length };
    this.#options.logger.warn(what, 'patterns of a stored definition are over a bound and match nothing');
  }

  #until(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        isDone,
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const message = 'could not read the definitions in time';
        reject(new CodedError('definitions_behind', message));
      }, foldWaitMsMax);
      this.#waiters.add(waiter);
    });
  }
}

function keyOf({ kind, workspace, id }: Pick<Definition, 'kind' | 'workspace' | 'id'>): string {
  return `${kind}/${workspace}/${id}`;
}
