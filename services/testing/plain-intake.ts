/** An intake without a queue: each record is a send of its own. For tests of what stands before it. */
import type { Intake } from '../ingest/ports.ts';
import type { Producer } from '../runtime/log/ports.ts';

export function plainIntake(producer: Pick<Producer, 'send'>): Intake {
  return {
    take: async (records) => {
      const sends = Array.from({ length: records.count }, (_, index) => {
        const { topic, key, value } = records.at(index);
        return producer.send(topic, key, value);
      });
      for (const result of await Promise.allSettled(sends)) {
        if (result.status === 'rejected') throw result.reason;
      }
    },
    untilOnLog: () => Promise.resolve(),
  };
}
