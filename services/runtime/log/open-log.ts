/** Opens the log on a Kafka cluster. */
import { type TopicId, topics } from '../../../schemas/topics.ts';
import { KafkaAdmin } from './admin.ts';
import { BytePool } from './byte-pool.ts';
import { Cluster } from './connection/cluster.ts';
import { FetchLoop } from './reading/fetch-loop.ts';
import { BatchedOutputs } from './producing/output-buffer.ts';
import type {
  Log,
  LogOptions,
  LogReader,
  OutputBuffer,
  Producer,
  ProducerLimits,
  TransactionalProducer,
} from './ports.ts';
import { IdempotentProducer } from './producing/producer.ts';
import { KafkaTransactionalProducer } from './producing/transactional-producer.ts';

/** Kept for the next fetch; what is in use is bounded by the readers' buffers. */
const FREE_FRAMES_BYTES_MAX = 48 << 20;
const FREE_OUTPUTS_BYTES_MAX = 32 << 20;
const PENDING_BYTES_MAX = 64 << 20;
const SEND_MS_MAX = 30_000;

/** Rejects with `log_unavailable` when no broker answers within 30 s, `config_invalid` for an address that is none. */
export async function openLog(options: LogOptions): Promise<Log> {
  const log = new KafkaLog(options);
  await log.connect();
  return log;
}

class KafkaLog implements Log {
  readonly admin: KafkaAdmin;
  readonly #options: LogOptions;
  readonly #frames = new BytePool(FREE_FRAMES_BYTES_MAX);
  readonly #outputs = new BytePool(FREE_OUTPUTS_BYTES_MAX);
  readonly #adminCluster: Cluster;
  readonly #open = new Map<Cluster, { close(): Promise<void> }>();

  constructor(options: LogOptions) {
    this.#options = options;
    this.#adminCluster = this.#newCluster();
    this.admin = new KafkaAdmin({ cluster: this.#adminCluster, ...this.#names });
  }

  async connect(): Promise<void> {
    await this.#adminCluster.connect();
  }

  reader(options: { bufferBytesMax: number; fetchBytesMax: number; waitMsMax: number }): LogReader {
    const cluster = this.#newCluster();
    return this.#closedWithLog(
      cluster,
      new FetchLoop({ cluster, frames: this.#frames, ...this.#names, ...options }),
    );
  }

  async transactionalProducer(options: {
    transactionalId: string;
    timeoutMs: number;
  }): Promise<TransactionalProducer> {
    const cluster = this.#newCluster();
    await cluster.connect();
    const transactionalId = this.#options.prefix + options.transactionalId;
    return this.#closedWithLog(
      cluster,
      new KafkaTransactionalProducer({
        cluster,
        ...this.#names,
        transactionalId,
        timeoutMs: options.timeoutMs,
      }),
    );
  }

  async producer({ lingerMs, lingerMsMax = lingerMs, pendingRecordsMax }: ProducerLimits): Promise<Producer> {
    const cluster = this.#newCluster();
    await cluster.connect();
    const producer = await IdempotentProducer.open({
      cluster,
      pool: this.#outputs,
      topicName: this.#names.topicName,
      pendingBytesMax: PENDING_BYTES_MAX,
      sendMsMax: SEND_MS_MAX,
      linger: { lingerMs, lingerMsMax },
      pendingRecordsMax,
    });
    return this.#closedWithLog(cluster, producer);
  }

  newOutputBuffer(): OutputBuffer {
    return new BatchedOutputs(this.#outputs);
  }

  /** Closes what was opened from this log too. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#open.values()].map(async (part) => {
        await part.close();
      }),
    );
    this.#adminCluster.destroy();
  }

  get #names() {
    const { prefix } = this.#options;
    return {
      topicName: (topic: TopicId) => prefix + topics[topic].name,
      groupName: (group: string) => prefix + group,
    };
  }

  #newCluster(): Cluster {
    const { brokers, clientId } = this.#options;
    return new Cluster({ brokers, clientId, frames: this.#frames });
  }

  #closedWithLog<Part extends { close(): Promise<void> }>(cluster: Cluster, part: Part): Part {
    for (const other of this.#open.keys()) if (other.isClosed) this.#open.delete(other);
    this.#open.set(cluster, part);
    return part;
  }
}
