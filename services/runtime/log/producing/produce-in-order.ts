/**
 * Sends the record batches of a transaction, those of a partition in order.
 *
 * A request takes one batch a partition, so the batches of a partition go out one request after the other, on one
 * connection, which keeps their order; a few requests may be under way. What meets a leader that moves, or is not ready
 * yet, or is left out of an answer, is sent again with its sequence, one request at a time: the broker recognises what it has, and refuses what
 * would leave a gap.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../connection/cluster.ts';
import {
  DUPLICATE_SEQUENCE_NUMBER,
  kafkaError,
  LEADER_NOT_AVAILABLE,
  NONE,
  OUT_OF_ORDER_SEQUENCE_NUMBER,
  SERVER_FAULT,
} from '../connection/kafka-error.ts';
import { decodeProduced, type ProduceItem, produceRequest } from '../protocol/produce-request.ts';
import { request } from '../connection/request.ts';

const RETRY_MS_MAX = 15_000;
const PAUSE_MS_MIN = 10;
const PAUSE_MS_MAX = 500;
const PRODUCE_TIMEOUT_MS = 30_000;
/** Of one request; the broker takes 100 MB. */
const REQUEST_BYTES_MAX = 8 << 20;
/** Idempotent producers may have five; the broker keeps the sequences of as many batches a partition. */
const REQUESTS_IN_FLIGHT_MAX = 4;

interface Refused {
  readonly item: ProduceItem;
  readonly errorCode: number;
}

export async function produceInOrder(
  cluster: Cluster,
  transactionalId: string,
  items: readonly ProduceItem[],
): Promise<void> {
  const deadline = performance.now() + RETRY_MS_MAX;
  let left = items;
  let inFlightMax = REQUESTS_IN_FLIGHT_MAX;
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    const [byLeader, homeless] = byLeaderOf(cluster, left);
    const sent = await Promise.all(
      [...byLeader].map(([leader, same]) =>
        produceTo({ cluster, leader, transactionalId, inFlightMax }, same),
      ),
    );
    const refused = [...homeless, ...sent.flat()];
    const [first] = refused;
    if (first === undefined) return;
    if (performance.now() > deadline) throw refusal(first);
    await sleep(pauseMs);
    await cluster.refresh();
    left = refused.map(({ item }) => item);
    inFlightMax = 1;
  }
}

function byLeaderOf(
  cluster: Cluster,
  items: readonly ProduceItem[],
): [Map<number, ProduceItem[]>, Refused[]] {
  const byLeader = new Map<number, ProduceItem[]>();
  const homeless: Refused[] = [];
  for (const item of items) {
    const leader = cluster.leaderOf(item.topicName, item.partition);
    const same = byLeader.get(leader);
    if (leader < 0) homeless.push({ item, errorCode: LEADER_NOT_AVAILABLE });
    else if (same === undefined) byLeader.set(leader, [item]);
    else same.push(item);
  }
  return [byLeader, homeless];
}

interface Route {
  readonly cluster: Cluster;
  readonly leader: number;
  readonly transactionalId: string;
  readonly inFlightMax: number;
}

/** Resolves with what should be sent again; rejects with what ends the transaction. */
async function produceTo(route: Route, items: readonly ProduceItem[]): Promise<Refused[]> {
  const { cluster, leader, transactionalId, inFlightMax } = route;
  const broker = await cluster.broker(leader);
  const refused = new Map<string, Refused[]>();
  const inFlight = new Set<Promise<void>>();
  for (const group of requestsOf(items)) {
    while (inFlight.size >= inFlightMax) await Promise.race(inFlight);
    const sent = request(broker, produceRequest(group, transactionalId, PRODUCE_TIMEOUT_MS)).then(
      (answer) => {
        inFlight.delete(sent);
        const codes = new Map(decodeProduced(answer).map((each) => [placeOf(each), each.errorCode]));
        for (const item of group) {
          note(refused, { item, errorCode: codes.get(placeOf(item)) ?? SERVER_FAULT });
        }
      },
    );
    inFlight.add(sent);
    sent.catch(() => undefined); // the first to fail is thrown by race or all; the others say the same
  }
  await Promise.all(inFlight);
  return [...refused.values()].flat();
}

/** Behind a batch that was refused, the sequence of the next cannot fit: it is not at fault. */
function note(refused: Map<string, Refused[]>, outcome: Refused): void {
  const { errorCode, item } = outcome;
  if (errorCode === NONE || errorCode === DUPLICATE_SEQUENCE_NUMBER) return;
  const before = refused.get(placeOf(item));
  if (before !== undefined && errorCode === OUT_OF_ORDER_SEQUENCE_NUMBER) before.push(outcome);
  else if (!refusal(outcome).retryable) throw refusal(outcome);
  else if (before === undefined) refused.set(placeOf(item), [outcome]);
  else before.push(outcome);
}

/** Neighbours that fit into one request: one batch a partition, and not too many bytes. */
function* requestsOf(items: readonly ProduceItem[]): Generator<ProduceItem[]> {
  let group: ProduceItem[] = [];
  let places = new Set<string>();
  let bytes = 0;
  for (const item of items) {
    const place = placeOf(item);
    if (places.has(place) || (group.length > 0 && bytes + item.batch.length > REQUEST_BYTES_MAX)) {
      yield group;
      group = [];
      places = new Set();
      bytes = 0;
    }
    group.push(item);
    places.add(place);
    bytes += item.batch.length;
  }
  if (group.length > 0) yield group;
}

function placeOf({
  topicName,
  partition,
}: {
  readonly topicName: string;
  readonly partition: number;
}): string {
  return `${topicName}/${String(partition)}`;
}

function refusal({ item, errorCode }: Refused) {
  return kafkaError(`send to ${placeOf(item)}`, errorCode);
}
