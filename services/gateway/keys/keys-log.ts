/** The `keys.changed` topic as a gateway sees it: a ring that follows it, and the keys that are written to it. */
import type { Codec } from '../../../schemas/codec.ts';
import type { KeyChange } from '../../../schemas/records.ts';
import type { Logger } from '../../runtime/logger.ts';
import { FoldedTopic, type FoldedTopicPorts } from '../folded-topic.ts';
import { KeyRing, madeOfFile, type FileKey } from './key-ring.ts';
import { Keys } from './keys.ts';
import { doorOf, digestOf, keyIdOf, type Credentials } from './secrets.ts';

export interface KeysLogOptions extends FoldedTopicPorts {
  readonly codec: Codec<'KeyChange'>;
  /** Those of credentials.json. */
  readonly fromFile: readonly FileKey[];
  readonly replaceInFile: (keyId: string, credentials: Credentials) => void;
  /** ms, of the wall. */
  readonly now: () => number;
}

/** Workspaces whose keys credentials.json has for good; those of others are on the topic, and may be taken out of it. */
const KEPT_IN_FILE = new Set(['default', 'sample']);

export class KeysLog {
  readonly keys: Keys;
  readonly #ring = new KeyRing();
  readonly #topic: FoldedTopic;
  readonly #codec: Codec<'KeyChange'>;
  readonly #logger: Logger;
  readonly #fromFile: readonly FileKey[];
  readonly #now: () => number;
  /** Changes of this gateway that were read back. Turns are taken one by one, so it has one entry at most. */
  #awaited: { readonly topicKey: string; isRead: boolean } | undefined;

  constructor({ codec, fromFile, replaceInFile, now, ...ports }: KeysLogOptions) {
    this.#codec = codec;
    this.#logger = ports.logger;
    this.#fromFile = fromFile;
    this.#now = now;
    this.#topic = new FoldedTopic({
      ...ports,
      topic: 'keysChanged',
      what: 'keys',
      apply: ({ bytes, valueStart, valueEnd }) => {
        const change = codec.decode(bytes, valueStart, valueEnd);
        this.#ring.apply(change);
        if (this.#awaited?.topicKey === topicKeyOf(change)) this.#awaited.isRead = true;
      },
    });
    this.keys = new Keys({
      ring: this.#ring,
      write: (change) => this.#write(change),
      writeUse: (change) => {
        this.#send(change).catch((error: unknown) => {
          this.#logger.info({ error }, 'when a key was last used could not be written');
        });
      },
      inTurn: (work, workspace) => this.#topic.inTurn(work, workspace ?? ''),
      replaceInFile,
      now,
    });
  }

  /** Resolves when all keys are known that there were at the call, those of credentials.json included. */
  async open(): Promise<void> {
    await this.#topic.open();
    for (const fileKey of this.#fromFile) {
      const { id } = this.#ring.addFromFile(fileKey);
      if (!this.#ring.isRevoked(id)) continue;
      const what = { key: id, workspace: fileKey.workspace, kind: fileKey.kind };
      this.#logger.warn(what, 'a key of credentials.json was revoked and opens nothing: set another');
    }
    await this.#topic.inTurn(() => this.#moveFromFile());
  }

  close(): Promise<void> {
    return this.#topic.close();
  }

  /** An earlier version had the keys of every workspace in credentials.json only, where one gateway alone knew them. */
  async #moveFromFile(): Promise<void> {
    for (const { kind, workspace, secret } of this.#fromFile) {
      if (workspace === null || KEPT_IN_FILE.has(workspace)) continue;
      const key = this.#ring.get(keyIdOf(digestOf(doorOf(kind), secret)), 0)?.key;
      if (key?.madeAt === null) await this.#write(madeOfFile(key, this.#now()));
    }
  }

  async #write(change: KeyChange): Promise<void> {
    const awaited = { topicKey: topicKeyOf(change), isRead: false };
    this.#awaited = awaited;
    await this.#send(change);
    await this.#topic.until(() => awaited.isRead);
  }

  #send(change: KeyChange): Promise<void> {
    return this.#topic.send(topicKeyOf(change), this.#codec.encode(change));
  }
}

/** Each change of a key has a place of its own, so that compaction never puts one for another. */
function topicKeyOf({ key_id: id, change }: KeyChange): string {
  return `${id}/${change}`;
}
