/** FindCoordinator, version 1: which broker keeps a group's offsets, or a transactional id's transactions. Kept until it fails. */
import type { Cluster } from './cluster.ts';
import { kafkaError, NONE } from './kafka-error.ts';
import type { Broker } from './kafkajs.ts';
import { request } from './request.ts';
import type { WireRequest } from '../protocol/wire-request.ts';
import { WireWriter } from '../protocol/wire-writer.ts';

export type CoordinatorKind = 'group' | 'transaction';

export class Coordinator {
  readonly #cluster: Cluster;
  readonly #kind: CoordinatorKind;
  readonly #key: string;
  #nodeId: number | undefined;

  constructor(cluster: Cluster, kind: CoordinatorKind, key: string) {
    this.#cluster = cluster;
    this.#kind = kind;
    this.#key = key;
  }

  /** Rejects with `log_unavailable` while there is none. */
  async broker(): Promise<Broker> {
    this.#nodeId ??= await this.#find();
    try {
      return await this.#cluster.broker(this.#nodeId);
    } catch (error) {
      // It may be gone for good, or be somewhere else now: the others know.
      this.forget();
      await this.#cluster.refresh().catch(() => undefined);
      throw error;
    }
  }

  /** To be called when it answered that it is not the coordinator, or not at all. */
  forget(): void {
    this.#nodeId = undefined;
  }

  async #find(): Promise<number> {
    const answer = await request(await this.#cluster.anyBroker(), findRequest(this.#kind, this.#key));
    answer.int32(); // throttle time
    const errorCode = answer.int16();
    answer.string(); // message
    const nodeId = answer.int32();
    if (errorCode !== NONE) throw kafkaError(`find the ${this.#kind} coordinator of ${this.#key}`, errorCode);
    await this.#cluster.ensureBroker(nodeId);
    return nodeId;
  }
}

function findRequest(kind: CoordinatorKind, key: string): WireRequest {
  const body = new WireWriter()
    .string(key)
    .int8(kind === 'group' ? 0 : 1)
    .finish();
  return { apiKey: 10, apiName: 'FindCoordinator', apiVersion: 1, body: [body] };
}
