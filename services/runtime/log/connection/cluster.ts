/**
 * The brokers of one cluster, and who leads what. A cluster has connections of its own: a broker answers the requests
 * of a connection one after another, so a reader's long polls and a producer's waits for acknowledgement must not share.
 */
import { CodedError } from '../../errors.ts';
import type { BytePool } from '../byte-pool.ts';
import { asLogError, kafkaError, NONE, UNKNOWN_TOPIC_OR_PARTITION } from './kafka-error.ts';
import { type Broker, newBroker } from './kafkajs.ts';
import {
  decodeMetadata,
  metadataRequest,
  type Metadata,
  type TopicMetadata,
} from '../protocol/metadata-request.ts';
import { request } from './request.ts';
import { retrying, type RetryLimits } from './retry.ts';
import { type Address, prepareConnection, type Reach } from './socket.ts';

export interface ClusterOptions {
  /** host:port of brokers to start from. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly frames: BytePool;
  /** Where brokers are reached, if not at the addresses that they advertise. */
  readonly reach?: Reach;
}

const START_LIMITS: RetryLimits = { firstPauseMs: 50, pauseMsMax: 1_000, totalMsMax: 60_000 };

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #brokers = new Map<number, Broker>();
  readonly #seeds: Broker[];
  readonly #topicNames = new Set<string>();
  readonly #topics = new Map<string, TopicMetadata>();
  #controllerId = -1;
  #refreshing: Promise<void> | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#seeds = options.brokers.map((address) => this.#newBroker(parseAddress(address)));
  }

  /** Rejects with `log_unavailable` when no broker answers within a minute. */
  async connect(): Promise<void> {
    await retrying(`reach a broker at ${this.#options.brokers.join(', ')}`, START_LIMITS, () =>
      this.refresh(),
    );
  }

  /** Looks topics up, waiting for brokers, leaders, and a topic just made: for a minute, or as long as `limits` say. */
  async addTopics(names: readonly string[], limits: RetryLimits = START_LIMITS): Promise<void> {
    const missing = names.filter((name) => !this.#topics.has(name));
    if (missing.length === 0) return;
    missing.forEach((name) => this.#topicNames.add(name));
    await retrying(`look up topics ${missing.join(', ')}`, limits, async () => {
      await this.refresh();
      for (const name of missing) {
        const errorCode = this.#topics.get(name)?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
        if (errorCode !== NONE) throw kafkaError(`look up topic ${name}`, errorCode);
      }
    });
  }

  /** Asks for the topics once, without waiting for them to exist. */
  async lookUp(names: readonly string[]): Promise<Metadata> {
    const broker = await this.anyBroker();
    const metadata = decodeMetadata(await request(broker, metadataRequest(names)));
    this.#controllerId = metadata.controllerId;
    this.#takeBrokers(metadata);
    return metadata;
  }

  /** Asks anew for brokers and leaders. One at a time: callers that come meanwhile share it. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    const names = [...this.#topicNames];
    const metadata = await this.lookUp(names);
    for (const topic of metadata.topics)
      if (topic.errorCode === NONE || !this.#topics.has(topic.name)) this.#topics.set(topic.name, topic);
  }

  /** Throws `topic_unknown` for a topic that was not added. */
  partitionCount(name: string): number {
    const topic = this.#topics.get(name);
    if (topic === undefined)
      throw new CodedError('topic_unknown', `could not find topic ${name}: not looked up`);
    return topic.partitions.length;
  }

  /** Node id; -1 while nobody leads the partition, as far as is known. */
  leaderOf(name: string, partition: number): number {
    const leader = this.#topics.get(name)?.partitions[partition]?.leader ?? -1;
    return this.#brokers.has(leader) ? leader : -1;
  }

  get brokerCount(): number {
    return this.#brokers.size;
  }

  /** Connected. Rejects with `log_unavailable`. */
  async broker(nodeId: number): Promise<Broker> {
    const broker = this.#brokers.get(nodeId);
    if (broker === undefined) {
      const message = `could not reach broker ${String(nodeId)}: it is not in the cluster's metadata`;
      throw new CodedError('log_unavailable', message);
    }
    return await this.#connected(broker);
  }

  /** Asks for the brokers anew if this one is not known. */
  async ensureBroker(nodeId: number): Promise<void> {
    if (!this.#brokers.has(nodeId)) await this.refresh();
  }

  async controller(): Promise<Broker> {
    await this.ensureBroker(this.#controllerId);
    return await this.broker(this.#controllerId);
  }

  /** A connected one, whichever; seeds last, as they may be an address that only leads here. */
  async anyBroker(): Promise<Broker> {
    const known = [...this.#brokers.values(), ...this.#seeds];
    const connected = known.find((broker) => broker.isConnected());
    if (connected !== undefined) return connected;
    let failure: unknown = new CodedError(
      'log_unavailable',
      'could not reach a broker: no address was given',
    );
    for (const broker of known) {
      try {
        return await this.#connected(broker);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Closes every socket at once; requests under way reject. */
  destroy(): void {
    this.#closed = true;
    for (const broker of [...this.#brokers.values(), ...this.#seeds]) disconnect(broker);
    this.#brokers.clear();
  }

  async #connected(broker: Broker): Promise<Broker> {
    if (this.#closed) throw new CodedError('log_closed', 'could not reach a broker: this client is closed');
    if (broker.isConnected()) return broker;
    const { host, port } = broker.connectionPool;
    try {
      await broker.connect();
    } catch (error) {
      throw asLogError(`connect to broker ${host}:${String(port)}`, error);
    }
    if (this.isClosed) disconnect(broker); // closed while it connected
    return broker;
  }

  #takeBrokers(metadata: Metadata): void {
    for (const { nodeId, host, port } of metadata.brokers) {
      const known = this.#brokers.get(nodeId);
      if (known?.connectionPool.host === host && known.connectionPool.port === port) continue;
      if (known !== undefined) disconnect(known);
      const seed = this.#seeds.findIndex(
        ({ connectionPool }) => connectionPool.host === host && connectionPool.port === port,
      );
      const broker = seed < 0 ? undefined : this.#seeds[seed];
      this.#brokers.set(nodeId, broker ?? this.#newBroker({ host, port }));
    }
    const present = new Set(metadata.brokers.map(({ nodeId }) => nodeId));
    for (const [nodeId, broker] of this.#brokers) {
      if (present.has(nodeId)) continue;
      this.#brokers.delete(nodeId);
      if (!this.#seeds.includes(broker)) disconnect(broker);
    }
  }

  #newBroker(address: { host: string; port: number }): Broker {
    const { clientId, frames, reach = asAdvertised } = this.#options;
    return newBroker(address, clientId, (connection) => {
      prepareConnection(connection, frames, reach);
    });
  }
}

/**
 * For good. A request that is on its way through an await would find the connection closed and open it again, and
 * kafkajs's disconnect, which goes on after an await of its own, would then half-close the new socket: nobody would
 * ever hear of that request. So there is no new socket.
 */
function disconnect(broker: Broker): void {
  for (const connection of broker.connectionPool.pool) {
    const socket = connection.socket;
    connection.socketFactory = () => {
      throw closedError();
    };
    connection.requestQueue.rejectAll(closedError());
    connection.disconnect().catch(() => undefined); // stops the connection's timers
    socket?.destroy();
  }
}

function closedError(): CodedError {
  return new CodedError('log_unavailable', 'could not finish a request: the client is closed');
}

function asAdvertised({ host, port }: Address): Address {
  return { host, port };
}

function parseAddress(address: string): { host: string; port: number } {
  const match = /^(.+):(\d+)$/.exec(address.trim());
  if (match?.[1] === undefined)
    throw new CodedError('config_invalid', `could not read the broker address "${address}"`);
  return { host: match[1].replace(/^\[(.*)\]$/, '$1'), port: Number(match[2]) };
}
