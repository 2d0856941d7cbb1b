/**
 * Two faults of kafkajs 2.2.4, mended. To be called before the first client is made.
 *
 * It takes one aborted transaction per record, in the order in which the broker happened to name them; when two overlap on
 * a partition it hands out records of the other. This puts a right filter in the place of its own.
 *
 * After every answer it arms a timer to look for requests that wait to be sent, by the end of a throttling that never was:
 * minus fifty years. Node 24 warns of it (TimeoutNegativeWarning), and the timer arms the next, a millisecond later, for
 * ever. This arms it only where a request waits.
 */
import { createRequire } from 'node:module';

interface Message {
  readonly offset: string;
  readonly key: Buffer | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}
interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

const VERSION = '2.2.4';
const ABORT_MARKER = 0;

export function repairKafkajs(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== VERSION)
    throw new Error(`could not repair kafkajs: it is ${version}, and the repair is for ${VERSION}`);
  const path = require.resolve('kafkajs/src/consumer/filterAbortedMessages.js');
  if (Object.keys(require.cache).some((loaded) => loaded.endsWith('kafkajs/src/consumer/batch.js'))) {
    throw new Error('could not repair kafkajs: it is loaded already');
  }
  require(path);
  const loaded = require.cache[path];
  if (loaded === undefined) throw new Error('could not repair kafkajs: its filter is not where it was');
  loaded.exports = withoutAborted;
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };
}

export function withoutAborted({
  messages,
  abortedTransactions,
}: {
  readonly messages: readonly Message[];
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
}): readonly Message[] {
  const ahead = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: BigInt(firstOffset) }))
    .sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  const aborting = new Set<string>();
  return messages.filter(({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }) => {
    while (ahead[0] !== undefined && ahead[0].firstOffset <= BigInt(offset)) {
      aborting.add(ahead[0].producerId);
      ahead.shift();
    }
    if (!isControlRecord) return !(inTransaction && aborting.has(producerId));
    if (key?.readInt16BE(2) === ABORT_MARKER) aborting.delete(producerId);
    return true;
  });
}
