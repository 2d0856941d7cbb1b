/**
 * Folds visitors into the state of in-app in this process, without a broker, and prints a line of JSON for each tenth of
 * them: what they take once all is written and garbage is collected. bench/visitors.ts starts it as a service is started.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { localCodecs } from '../../schemas/codec.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { EMBEDDED_PARTITIONS } from '../../schemas/topics.ts';
import type { BenchRow } from '../../scripts/bench.ts';
import { inAppService } from '../../services/in-app/service.ts';
import { Definitions } from '../../services/runtime/definitions.ts';
import type { InputRecord } from '../../services/runtime/log/ports.ts';
import { openPartitionStores } from '../../services/runtime/store/open-stores.ts';
import type { PartitionStores } from '../../services/runtime/store/ports.ts';
import type { Emitter, Processor } from '../../services/runtime/task/ports.ts';
import { threadCpuMs } from '../../services/runtime/thread-cpu.ts';
import { memoryOf } from './state-figures.ts';
import { messages, visitsOf } from './visitors.ts';
import { collectGarbage } from '../lanes/collect-garbage.ts';
import { diskBytesOf } from '../merger/process-figures.ts';

const PARTITIONS = EMBEDDED_PARTITIONS;
const BATCH_VISITORS = 500;
const ROWS = 10;
/** As a service has it (services/runtime/task/run-service.ts). */
const HEAP_GROWTH = '--heap-growing-percent=300';

interface Part {
  readonly stores: PartitionStores;
  readonly processor: Processor;
}

const nowhere: Emitter = {
  emit: () => undefined,
  emitTo: () => undefined,
};

class Visitors {
  readonly #folder: string;
  readonly #flushEvents: number;
  readonly #codecs = localCodecs();
  readonly #definitions = new Definitions();
  readonly #parts: readonly Part[];
  readonly #beganAt = Date.now();
  readonly #without: ReturnType<typeof memoryOf>;
  #visitors = 0;
  #sequence = 0;
  #unflushed = 0;
  #events = 0;
  #cpuMs = 0;

  constructor(folder: string, flushEvents: number) {
    this.#folder = folder;
    this.#flushEvents = flushEvents;
    Object.entries(messages).forEach(([id, body], offset) => {
      const what = { kind: 'message', workspace: 'default', id, version: offset + 1 } as const;
      this.#definitions.apply(offset, { ...what, deleted: false, at: 0, body: JSON.stringify(body) });
    });
    this.#parts = Array.from({ length: PARTITIONS }, (_, partition) => {
      const stores = openPartitionStores(join(folder, String(partition)), inAppService.stores);
      return { stores, processor: inAppService.open(partition, PARTITIONS, stores, this.#codecs) };
    });
    this.#without = memoryOf(process.pid);
  }

  async growTo(visitors: number): Promise<void> {
    while (this.#visitors < visitors) {
      const to = Math.min(visitors, this.#visitors + BATCH_VISITORS);
      const records: InputRecord[] = [];
      for (; this.#visitors < to; this.#visitors += 1) records.push(...this.#recordsOf(this.#visitors));
      this.#batch(records);
      await turn();
    }
    this.#flush();
  }

  async figures(): Promise<BenchRow> {
    collectGarbage();
    const { all, once, own, files } = memoryOf(process.pid);
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
    return {
      visitors: this.#visitors,
      'disk bytes each': Math.round((await diskBytesOf(this.#folder)) / this.#visitors),
      'memory bytes each': Math.round((once - this.#without.once) / this.#visitors),
      'memory MiB': mib(once),
      'resident MiB': mib(all),
      'own MiB': mib(own),
      'heap MiB': mib(process.memoryUsage().heapUsed),
      'files MiB': mib(files),
      'without visitors MiB': mib(this.#without.once),
      'µs of CPU an event': ((this.#cpuMs * 1_000) / this.#events).toFixed(1),
      load: (loadavg()[0] ?? 0).toFixed(1),
    };
  }

  close(): void {
    for (const { stores } of this.#parts) stores.close();
  }

  #recordsOf(visitor: number): InputRecord[] {
    return visitsOf(visitor, this.#beganAt).map(({ key, event }) => {
      const bytes = Buffer.concat([key, this.#codecs.CollectedEvent.encode(event)]);
      const partition = partitionOf(key, PARTITIONS);
      const at = { keyStart: 0, keyEnd: key.length, valueStart: key.length, valueEnd: bytes.length };
      return { topic: 'eventsCollected', partition, offset: 0, appendedAt: this.#beganAt, bytes, ...at };
    });
  }

  #batch(records: readonly InputRecord[]): void {
    const before = threadCpuMs();
    this.#sequence += 1;
    const batch = { sequence: this.#sequence, time: this.#beganAt, definitions: this.#definitions };
    for (const record of records) this.#parts[record.partition]?.processor.onRecord(record, batch, nowhere);
    for (const { processor, stores } of this.#parts) {
      processor.onBatchEnd(batch, nowhere);
      processor.takeUnits?.();
      stores.committed(this.#sequence);
    }
    this.#events += records.length;
    this.#unflushed += records.length;
    if (this.#unflushed >= this.#flushEvents) this.#flush();
    this.#cpuMs += threadCpuMs() - before;
  }

  #flush(): void {
    for (const { stores } of this.#parts) stores.flush();
    this.#unflushed = 0;
  }
}

const { values } = parseArgs({
  options: {
    visitors: { type: 'string', default: '100000' },
    'flush-events': { type: 'string', default: '20000' },
    folder: { type: 'string', default: tmpdir() },
  },
});
setFlagsFromString(HEAP_GROWTH);
const folder = mkdtempSync(join(values.folder, 'hindsight-bench-visitors-'));
const visitors = new Visitors(folder, Number(values['flush-events']));
try {
  const all = Number(values.visitors);
  for (let row = 1; row <= ROWS; row += 1) {
    await visitors.growTo(Math.round((all * row) / ROWS));
    console.log(JSON.stringify(await visitors.figures()));
  }
} finally {
  visitors.close();
  rmSync(folder, { recursive: true, force: true });
}
