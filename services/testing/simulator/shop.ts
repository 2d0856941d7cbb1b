/** Plays a workload made in advance: every call is acknowledged at its time, on a machine whose clock does not jump. */
import type { Codecs } from '../../../schemas/codec.ts';
import { controlMarker } from '../../../schemas/control-markers.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import type { MemoryBroker } from '../memory/memory-broker.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { SimulatedRule } from './rules.ts';
import { workspace, type Call } from './workload.ts';

export interface ShopOptions {
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly codecs: Codecs;
  readonly startMs: number;
}

export class Shop {
  readonly #options: ShopOptions;
  #controls = 0;

  constructor(options: ShopOptions) {
    this.#options = options;
  }

  define(where: string, rules: readonly SimulatedRule[]): void {
    const { codecs, broker, startMs } = this.#options;
    for (const { kind, body } of rules) {
      const value = codecs.Definition.encode({
        kind,
        workspace: where,
        id: body.name,
        version: 1,
        deleted: false,
        at: startMs,
        body: JSON.stringify(body),
      });
      const key = Buffer.from(`${where}/${kind}/${body.name}`);
      broker.append([{ topic: 'definitions', partition: 0, key, value }]);
    }
  }

  async play(calls: readonly Call[]): Promise<void> {
    const { time, broker, codecs } = this.#options;
    for (const call of calls) {
      await time.run(Math.max(0, call.atMs - time.monotonicMs()));
      if (call.type === 'merge') {
        this.#merge(call.primary, call.secondary);
        continue;
      }
      const partition = partitionOf(call.lane, broker.partitions);
      const value = codecs.CollectedEvent.encode(call.event);
      broker.append([{ topic: 'eventsCollected', partition, key: Buffer.from(call.lane), value }]);
    }
  }

  /** As ingest does: its marker in every partition of events.collected says what was acknowledged before. */
  #merge(primary: string, secondary: string): void {
    const { time, broker, codecs, startMs } = this.#options;
    const receivedAt = startMs + Math.floor(time.monotonicMs());
    this.#controls += 1;
    const marker = controlMarker({ workspace, kind: 'merge', received_at: receivedAt }, this.#controls);
    const [key, value] = [Buffer.from(workspace), codecs.CollectedEvent.encode(marker)];
    const positions = broker.topic('eventsCollected').map((log, partition) => {
      broker.append([{ topic: 'eventsCollected', partition, key, value }]);
      return log.end;
    });
    const request = identityRequest({
      kind: 'merge',
      workspace,
      received_at: receivedAt,
      request_number: this.#controls,
      positions,
      identifier_kind: 'id',
      identifier: primary,
      message_id: `merge-${primary}-${secondary}`,
      other_kind: 'id',
      other: secondary,
    });
    const partition = partitionOf(workspace, broker.partitions);
    broker.append([
      { topic: 'identityRequests', partition, key, value: codecs.IdentityRequest.encode(request) },
    ]);
  }
}
