/** A service as its partitions run it, each workspace with its share, for a harness that drives processors. */
import type { ServiceSpec } from '../runtime/task/ports.ts';
import { PartitionRunner } from '../runtime/task/partition-runner.ts';
import type { Share } from '../runtime/task/share/share.ts';

export function inShares(spec: ServiceSpec, share: Share): ServiceSpec {
  return {
    ...spec,
    open: (partition, partitions, stores, codecs) => {
      const parts = { partition, partitions, stores, codecs, unknowable: new Set<number>() };
      const runner = new PartitionRunner({ ...spec, share }, parts);
      return {
        onRecord: (...args) => {
          runner.onRecord(...args);
        },
        onBatchEnd: (...args) => {
          const steps = runner.ending(...args);
          while (steps.next().done !== true);
        },
        wantsBatch: (...args) => runner.wantsBatch(...args),
        pendingSince: () => runner.pendingSince(),
        receivedFrom: () => runner.receivedFrom(),
        receivedAt: (record) => runner.processor.receivedAt(record),
        status: () => ({ ...runner.processor.status(), waiting_records: runner.waiting?.records ?? 0 }),
      };
    },
  };
}
