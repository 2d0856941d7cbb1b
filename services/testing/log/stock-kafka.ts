/**
 * kafkajs as others use it, for tests beside our own log: what it does is its own, but for the timer that it arms after
 * every answer, of which Node warns (TimeoutNegativeWarning), so that a suite's output says what the suite found.
 */
import { createRequire } from 'node:module';
import { Kafka, logLevel } from 'kafkajs';
import { testBrokers } from './test-log.ts';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

const load = createRequire(import.meta.url);
const { prototype } = load('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
const { scheduleCheckPendingRequests: schedule } = prototype;
prototype.scheduleCheckPendingRequests = function () {
  if (this.pending.length > 0) schedule.call(this);
};

/** A client of the test's broker. */
export function stockKafka(): Kafka {
  return new Kafka({ brokers: testBrokers(), clientId: 'stock', logLevel: logLevel.NOTHING });
}
