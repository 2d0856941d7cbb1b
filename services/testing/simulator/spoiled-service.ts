/** A service that emits otherwise than it should, to see whether anybody sees it. */
import type { Emitter, ServiceSpec } from '../../runtime/task/ports.ts';

/** The service with another emit. */
export function spoiled(spec: ServiceSpec, spoil: (emit: Emitter['emit']) => Emitter['emit']): ServiceSpec {
  return {
    ...spec,
    open: (...at) => {
      const processor = spec.open(...at);
      let spoiledOut: Emitter | undefined;
      const through = (out: Emitter): Emitter =>
        (spoiledOut ??= {
          emit: spoil((...output) => {
            out.emit(...output);
          }),
          emitTo: (...output) => {
            out.emitTo(...output);
          },
        });
      return {
        onRecord: (record, batch, out) => {
          processor.onRecord(record, batch, through(out));
        },
        onBatchEnd: (batch, out) => {
          processor.onBatchEnd(batch, through(out));
        },
        wantsBatch: (...asked) => processor.wantsBatch(...asked),
        pendingSince: () => processor.pendingSince(),
        receivedAt: (record) => processor.receivedAt(record),
        status: () => processor.status(),
      };
    },
  };
}
