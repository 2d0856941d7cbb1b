/** Asks the broker for an idempotent producer's id: there is no owner of before, so none is fenced. */
import type { Cluster } from '../connection/cluster.ts';
import { kafkaError, NONE } from '../connection/kafka-error.ts';
import { request } from '../connection/request.ts';
import { retrying } from '../connection/retry.ts';
import { decodeProducerId, initProducerIdRequest } from '../protocol/transaction-requests.ts';
import type { ProducerId } from './partition-queue.ts';

const INIT_MS_MAX = 60_000;

export async function newProducerId(cluster: Cluster): Promise<ProducerId> {
  const what = 'get a producer id';
  return await retrying(what, { firstPauseMs: 20, pauseMsMax: 1_000, totalMsMax: INIT_MS_MAX }, async () => {
    const answer = decodeProducerId(await request(await cluster.anyBroker(), initProducerIdRequest(null, 0)));
    if (answer.errorCode !== NONE) throw kafkaError(what, answer.errorCode);
    return { producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  });
}
