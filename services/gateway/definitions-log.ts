/**
 * The `definitions` topic as a gateway sees it. A write numbers its record from the fold; of two gateways that write one
 * version at a time the first on the topic has it (services/runtime/definitions.ts), and the other tries again.
 */
import type { Codec } from '../../schemas/codec.ts';
import type { Definition } from '../../schemas/records.ts';
import type { DefinitionWrite } from '../app/ports.ts';
import { DefinitionVersions, type DefinitionVersion } from '../runtime/definition-versions.ts';
import { Definitions, type StoredDefinition } from '../runtime/definitions.ts';
import { assert, CodedError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { measuredPatterns } from '../runtime/stored-patterns.ts';
import { DefinitionDays } from './definition-days.ts';
import { FoldedTopic, type FoldedTopicPorts } from './folded-topic.ts';

/** Each means that another gateway was quicker; more in a row than there are gateways is not to be expected. */
const attemptsMax = 20;

export interface DefinitionsLogOptions extends FoldedTopicPorts {
  readonly codec: Codec<'Definition'>;
  /** ms; the standing clock where there is one, so that a definition is as old as the events around it. */
  readonly now: () => number;
}

/** A record of ours that is on its way. Turns are taken one by one, so there is one at most. */
interface Written {
  readonly record: Definition;
  /** undefined until its version has been read. */
  result: 'counts' | 'lost' | undefined;
  stored: StoredDefinition | undefined;
}

export class DefinitionsLog {
  readonly #codec: Codec<'Definition'>;
  readonly #now: () => number;
  readonly #logger: Logger;
  readonly #topic: FoldedTopic;
  readonly #fold = new Definitions();
  readonly #versions = new DefinitionVersions();
  readonly #days = new DefinitionDays();
  #written: Written | undefined;

  constructor({ codec, now, ...ports }: DefinitionsLogOptions) {
    this.#codec = codec;
    this.#now = now;
    this.#logger = ports.logger;
    this.#topic = new FoldedTopic({
      ...ports,
      topic: 'definitions',
      what: 'definitions',
      apply: ({ offset, bytes, valueStart, valueEnd }) => {
        this.#apply(offset, codec.decode(bytes, valueStart, valueEnd));
      },
    });
  }

  /** Resolves when everything that the topic held at the call is folded. */
  open(): Promise<void> {
    return this.#topic.open();
  }
  close(): Promise<void> {
    return this.#topic.close();
  }
  get offset(): number {
    return this.#topic.offset;
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
  versions(kind: Definition['kind'], workspace: string, id: string): readonly DefinitionVersion[] {
    return this.#versions.of(kind, workspace, id);
  }

  /**
   * What the broker now has; undefined when it would be one more than `countMax` or may not be. Rejects with
   * `definitions_day_full` when the workspace has written as much as it may today. Another gateway that
   * stores another definition at the same moment does not see this one yet: bounds over several may be passed by one each.
   */
  put(
    kind: Definition['kind'],
    workspace: string,
    id: string,
    { body, countMax = Infinity, mayStore }: DefinitionWrite,
  ): Promise<StoredDefinition | undefined> {
    return this.#topic.inTurn(async () => {
      const written = await this.#write(() => {
        const isNew = this.get(kind, workspace, id) === undefined;
        if (isNew && this.list(kind, workspace).length >= countMax) return undefined;
        if (mayStore?.() === false) return undefined;
        return { kind, workspace, id, at: this.#now(), body: JSON.stringify(body) };
      });
      if (written === undefined) return undefined;
      assert(written.stored !== undefined, 'a definition that was written has been in the fold');
      return written.stored;
    }, workspace);
  }

  /** The version that says it is gone; undefined when it was not there. */
  remove(kind: Definition['kind'], workspace: string, id: string): Promise<number | undefined> {
    return this.#topic.inTurn(async () => {
      const written = await this.#write(() =>
        this.get(kind, workspace, id) === undefined
          ? undefined
          : { kind, workspace, id, at: this.#now(), body: null },
      );
      return written?.record.version;
    }, workspace);
  }

  /** Several calls that ask for one time write it once. */
  advanceClockTo(time: number): Promise<void> {
    return this.#topic.inTurn(async () => {
      if (time <= (this.clock ?? -Infinity)) return;
      const clock = { kind: 'clock', workspace: '', id: 'clock', version: 1, deleted: false } as const;
      await this.#send({ ...clock, at: time, body: null });
      await this.#topic.until(() => (this.clock ?? -Infinity) >= time);
    });
  }

  /** @param next asked before each attempt, since what another gateway has written may change the answer. */
  async #write(
    next: () => Omit<Definition, 'version' | 'deleted'> | undefined,
  ): Promise<Written | undefined> {
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const definition = next();
      if (definition === undefined) return undefined;
      const { kind, workspace, id, body } = definition;
      this.#days.take(definition);
      const version = this.#fold.versionOf(kind, workspace, id) + 1;
      const record = { ...definition, version, deleted: body === null };
      const written: Written = { record, result: undefined, stored: undefined };
      this.#written = written;
      await this.#send(record);
      await this.#topic.until(() => written.result !== undefined);
      if (written.result === 'counts') return written;
    }
    const message = 'could not store a definition: other gateways keep changing it';
    throw new CodedError('definitions_contended', message);
  }

  #send(record: Definition): Promise<void> {
    return this.#topic.send(keyOf(record), this.#codec.encode(record));
  }

  #apply(offset: number, record: Definition): void {
    const counts = this.#fold.apply(offset, record);
    this.#days.apply(record);
    const { kind, workspace, id, version } = record;
    if (counts && kind !== 'clock') this.#versions.apply(record, this.get(kind, workspace, id));
    const written = this.#written;
    // A record of this version that counts but says something else is another gateway's. One that says the same may be:
    // then what this gateway was asked to store is stored, and who wrote it does not matter.
    if (
      counts &&
      written?.result === undefined &&
      written?.record.version === version &&
      keyOf(written.record) === keyOf(record)
    ) {
      const isOurs = written.record.body === record.body && written.record.at === record.at;
      written.result = isOurs ? 'counts' : 'lost';
      written.stored = this.get(kind, workspace, id);
    }
    if (counts) this.#sayIfOverBounds(record);
  }

  /** No PUT stores such a definition any more, so there are few, and each is said once a start. */
  #sayIfOverBounds({ kind, workspace, id }: Definition): void {
    const { faults } = measuredPatterns(this.get(kind, workspace, id)?.body);
    if (faults.length === 0) return;
    const what = { kind, workspace, id, faults: faults.length };
    this.#logger.warn(what, 'patterns of a stored definition are over a bound and match nothing');
  }
}

function keyOf({ kind, workspace, id }: Pick<Definition, 'kind' | 'workspace' | 'id'>): string {
  return `${kind}/${workspace}/${id}`;
}
