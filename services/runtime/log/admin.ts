/** Topics, and where they begin and end. */
import { type TopicId, topicIds, topics } from '../../../schemas/topics.ts';
import { CodedError } from '../errors.ts';
import type { Cluster } from './connection/cluster.ts';
import { Coordinator } from './connection/coordinator.ts';
import {
  asLogError,
  isCoordinatorError,
  kafkaError,
  NONE,
  TOPIC_ALREADY_EXISTS,
  UNKNOWN_TOPIC_OR_PARTITION,
  UNSTABLE_OFFSET_COMMIT,
} from './connection/kafka-error.ts';
import type { KafkajsError } from './connection/kafkajs.ts';
import {
  decodeFetchedOffsets,
  decodeListedOffsets,
  fetchOffsetsRequest,
  listOffsetsRequest,
  type OffsetWanted,
} from './protocol/offset-requests.ts';
import type { CopiesWanted, LogAdmin } from './ports.ts';
import { request } from './connection/request.ts';
import { retrying, type RetryLimits } from './connection/retry.ts';
import { copiesFor, topicSettings } from './topic-settings.ts';

export interface AdminOptions {
  readonly cluster: Cluster;
  readonly topicName: (topic: TopicId) => string;
  readonly groupName: (group: string) => string;
}

type CommittedOffsets = Awaited<ReturnType<LogAdmin['committedOffsets']>>;

const LIMITS: RetryLimits = { firstPauseMs: 5, pauseMsMax: 500, totalMsMax: 60_000 };
/** An installation begins only once, and a broker that is short of processors takes its time over so many topics. */
const CREATE_LIMITS: RetryLimits = { ...LIMITS, totalMsMax: 180_000 };
const CREATE_MS_MAX = 30_000;

export class KafkaAdmin implements LogAdmin {
  readonly #options: AdminOptions;
  readonly #coordinators = new Map<string, Coordinator>();

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** Throws `topic_partitions_differ` for a topic that exists with another partition count, `too_few_brokers`. */
  async createTopics(
    partitions: number,
    copies: CopiesWanted = {},
  ): Promise<{ readonly created: readonly string[] }> {
    const { cluster, topicName } = this.#options;
    const wanted = topicIds.map((id) => {
      const declaration = topics[id];
      return {
        name: topicName(id),
        declaration,
        partitions: declaration.partitions === 'one' ? 1 : partitions,
      };
    });
    const created = await retrying('create topics', CREATE_LIMITS, async () => {
      const { topics: found } = await cluster.lookUp(wanted.map(({ name }) => name));
      const known = new Set(
        found.filter(({ errorCode }) => errorCode !== UNKNOWN_TOPIC_OR_PARTITION).map(({ name }) => name),
      );
      const missing = wanted.filter(({ name }) => !known.has(name));
      if (missing.length > 0) await this.#create(missing, copies);
      return missing.map(({ name }) => name);
    });
    await cluster.addTopics(
      wanted.map(({ name }) => name),
      CREATE_LIMITS,
    );
    for (const { name, partitions: count } of wanted) {
      const found = cluster.partitionCount(name);
      if (found === count) continue;
      const message = `could not use topic ${name}: it has ${String(found)} partitions, not ${String(count)}`;
      const hint =
        'Partition counts are fixed when an installation begins (HINDSIGHT_PARTITIONS); they change only by a replay into new topics.';
      throw new CodedError('topic_partitions_differ', message, { hint });
    }
    // A leader is named before it takes records: an answer from each says that it does.
    if (created.length > 0)
      await Promise.all(topicIds.map((topic) => this.#offsets(topic, 'end', CREATE_LIMITS)));
    return { created };
  }

  async partitionsOf(topic: TopicId): Promise<number> {
    const { cluster, topicName } = this.#options;
    await cluster.addTopics([topicName(topic)]);
    return cluster.partitionCount(topicName(topic));
  }

  async endOffsets(topic: TopicId): Promise<readonly number[]> {
    return await this.#offsets(topic, 'end');
  }
  async writtenOffsets(topic: TopicId): Promise<readonly number[]> {
    return await this.#offsets(topic, 'written');
  }
  async startOffsets(topic: TopicId): Promise<readonly number[]> {
    return await this.#offsets(topic, 'first');
  }

  async committedOffsets(group: string, topic: TopicId): Promise<CommittedOffsets> {
    const { topicName, groupName } = this.#options;
    const partitions = range(await this.partitionsOf(topic));
    const name = groupName(group);
    const what = `read the offsets of ${name}`;
    return await retrying(what, LIMITS, async () => {
      const coordinator = this.#coordinator(name);
      const broker = await coordinator.broker();
      const asked = fetchOffsetsRequest(name, topicName(topic), partitions);
      const answer = await request(broker, asked).catch((error: unknown) => {
        coordinator.forget(); // gone in the middle of it
        throw error;
      });
      const { errorCode, offsets } = decodeFetchedOffsets(answer);
      const failed = [errorCode, ...offsets.map((offset) => offset.errorCode)].find((code) => code !== NONE);
      if (failed !== undefined && isCoordinatorError(failed)) coordinator.forget();
      if (failed === UNSTABLE_OFFSET_COMMIT)
        throw new CodedError('log_unavailable', `could not ${what}: a commit is under way`);
      if (failed !== undefined) throw kafkaError(what, failed);
      const found = new Map(offsets.map((offset) => [offset.partition, offset]));
      return partitions.map((partition) => {
        const { offset, metadata } = found.get(partition) ?? { offset: -1, metadata: null };
        return offset < 0 ? { offset: null, metadata: null } : { offset, metadata };
      });
    });
  }

  async #create(
    missing: readonly { name: string; declaration: (typeof topics)[TopicId]; partitions: number }[],
    wanted: CopiesWanted,
  ): Promise<void> {
    const copies = copiesFor(wanted, this.#options.cluster.brokerCount);
    const controller = await this.#options.cluster.controller();
    try {
      await controller.createTopics({
        timeout: CREATE_MS_MAX,
        topics: missing.map(({ name, declaration, partitions }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor: copies.replicas,
          configEntries: Object.entries(topicSettings(declaration, copies)).map(([key, value]) => ({
            name: key,
            value,
          })),
        })),
      });
    } catch (error) {
      // Another process creates them too: whose attempt wins does not matter, the counts are asserted after.
      if (isAlreadyThere(error)) return;
      throw asLogError(`create topics ${missing.map(({ name }) => name).join(', ')}`, error);
    }
  }

  async #offsets(topic: TopicId, wanted: OffsetWanted, limits = LIMITS): Promise<readonly number[]> {
    const { cluster, topicName } = this.#options;
    const name = topicName(topic);
    const partitions = range(await this.partitionsOf(topic));
    const what = `read the ${wanted} offsets of ${name}`;
    let attempts = 0;
    return await retrying(what, limits, async () => {
      if (attempts++ > 0) await cluster.refresh();
      const found = new Map<number, number>();
      const leaders = new Set(partitions.map((partition) => cluster.leaderOf(name, partition)));
      for (const leader of leaders) {
        const mine = partitions.filter((partition) => cluster.leaderOf(name, partition) === leader);
        const answer = await request(await cluster.broker(leader), listOffsetsRequest(name, mine, wanted));
        for (const { partition, errorCode, offset } of decodeListedOffsets(answer)) {
          if (errorCode !== NONE) throw kafkaError(what, errorCode);
          found.set(partition, offset);
        }
      }
      return partitions.map((partition) => found.get(partition) ?? 0);
    });
  }

  #coordinator(name: string): Coordinator {
    const known = this.#coordinators.get(name);
    if (known !== undefined) return known;
    const coordinator = new Coordinator(this.#options.cluster, 'group', name);
    this.#coordinators.set(name, coordinator);
    return coordinator;
  }
}

/** kafkajs answers with one error that holds an error a topic. */
function isAlreadyThere(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { errors } = error as KafkajsError & { errors?: readonly KafkajsError[] }; // kafkajs's KafkaJSAggregateError
  if (Array.isArray(errors)) return errors.length > 0 && errors.every(isAlreadyThere);
  return (error as KafkajsError).code === TOPIC_ALREADY_EXISTS;
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}
