/** A question to a coordinator, repeated until it is there and through with the transaction before. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Coordinator } from './coordinator.ts';
import {
  CONCURRENT_TRANSACTIONS,
  isCoordinatorError,
  kafkaError,
  NONE,
  SERVER_FAULT,
} from './kafka-error.ts';
import { request } from './request.ts';
import type { WireRequest } from '../protocol/wire-request.ts';
import { retrying } from './retry.ts';
import type { WireReader } from '../protocol/wire-reader.ts';

export interface Question<Answer extends { readonly errorCode: number }> {
  /** Completes "could not …". */
  readonly what: string;
  readonly request: WireRequest;
  readonly decode: (answer: WireReader) => Answer;
  readonly totalMsMax?: number;
}

const TOTAL_MS_MAX = 30_000;
const MOVED_PAUSE_MS = 20;
/**
 * `commit` is acknowledged before the broker has written the markers. What comes next meets CONCURRENT_TRANSACTIONS,
 * which is no error but a "not yet", over in a few milliseconds (kafkajs sleeps 300 ms, or fails). A broker that takes
 * longer has too much to do, and is asked less and less often.
 */
const NOT_YET_PAUSE_MS_MIN = 2;
const NOT_YET_PAUSE_MS_MAX = 64;
/**
 * A commit that reaches the coordinator while it takes in a successor's InitProducerId is a state that Kafka 4.1 did not
 * think of: it answers with a fault of its own (1 takeover in 150 on a busy machine), and a moment later that the
 * producer is fenced. So the question is put again, which every question here bears: the coordinator knows by producer
 * id and epoch what it has done.
 */
const SERVER_FAULTS_MAX = 10;
const SERVER_FAULT_PAUSE_MS = 20;

/** Rejects with the coded error of any other answer. A lost connection is not repeated: the answer may have been yes. */
export async function askCoordinator<Answer extends { readonly errorCode: number }>(
  coordinator: Coordinator,
  question: Question<Answer>,
): Promise<Answer> {
  const { what, totalMsMax = TOTAL_MS_MAX } = question;
  const deadline = performance.now() + totalMsMax;
  let notYetPauseMs = NOT_YET_PAUSE_MS_MIN;
  for (let faults = 0; ;) {
    const limits = { firstPauseMs: MOVED_PAUSE_MS, pauseMsMax: 500, totalMsMax };
    const broker = await retrying(what, limits, () => coordinator.broker());
    const answer = question.decode(await request(broker, question.request));
    const { errorCode } = answer;
    if (errorCode === NONE) return answer;
    const moved = isCoordinatorError(errorCode);
    const notYet = errorCode === CONCURRENT_TRANSACTIONS;
    const atFault = errorCode === SERVER_FAULT && ++faults <= SERVER_FAULTS_MAX;
    if (!(moved || notYet || atFault) || performance.now() > deadline) throw kafkaError(what, errorCode);
    if (moved) coordinator.forget();
    await sleep(moved ? MOVED_PAUSE_MS : atFault ? SERVER_FAULT_PAUSE_MS : notYetPauseMs);
    if (notYet) notYetPauseMs = Math.min(2 * notYetPauseMs, NOT_YET_PAUSE_MS_MAX);
  }
}
