/** The toy service on a real broker: topics of its own under a fresh prefix, what is sent to it, and what must come of it. */
import { expect } from '@jest/globals';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Codecs } from '../../../schemas/codec.ts';
import type { Activity } from '../../../schemas/records.ts';
import { silentLogger } from '../../runtime/logger.ts';
import { openLog } from '../../runtime/log/open-log.ts';
import type { Log, Producer } from '../../runtime/log/ports.ts';
import { testBrokers } from '../log/test-log.ts';
import { registerSchemas } from '../../runtime/registry.ts';
import { StaticAssignment, type Assignment } from '../../runtime/task/layout/assignment.ts';
import { scan } from '../../runtime/task/batch/log-scan.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { stateFolders } from '../../runtime/task/recovery/snapshots.ts';
import { TaskService } from '../../runtime/task/task-service.ts';
import { systemTime, type TimePort } from '../../runtime/time.ts';
import { collectedEvent } from '../collected-event.ts';
import { toyService } from './toy-service.ts';

const LANES = 10;
const SETTLE_MS_MAX = 120_000;

export interface InProcessOptions {
  readonly log: Log;
  readonly spec?: ServiceSpec;
  readonly tasks?: number;
  /** Of all tasks, unless said otherwise. */
  readonly assignment?: Assignment;
  /** Its own, unless said otherwise. */
  readonly dataFolder?: string;
  readonly time?: TimePort;
}

export class ToyBroker {
  readonly partitions = 4;
  readonly codecs: Codecs;
  readonly prefix: string;
  readonly #log: Log;
  readonly #producer: Producer;
  #sent = 0;

  private constructor(codecs: Codecs, prefix: string, log: Log, producer: Producer) {
    this.codecs = codecs;
    this.prefix = prefix;
    this.#log = log;
    this.#producer = producer;
  }

  static async open(name: string): Promise<ToyBroker> {
    const codecs = await registerSchemas({ url: process.env.TEST_SCHEMA_REGISTRY_URL ?? '' });
    const prefix = `${name}-${String(process.pid)}-${String(Date.now())}-`;
    const log = await openLogUnder(prefix);
    const producer = await log.producer({ lingerMs: 2, pendingRecordsMax: 10_000 });
    const opened = new ToyBroker(codecs, prefix, log, producer);
    await log.admin.createTopics(opened.partitions);
    return opened;
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  /** Another connection to the same topics. */
  connect(): Promise<Log> {
    return openLogUnder(this.prefix);
  }

  /** For a child: {@link newFolder} is its data folder. */
  get childOptions(): { readonly dataFolder: string; readonly prefix: string; readonly partitions: number } {
    return { dataFolder: newFolder(), prefix: this.prefix, partitions: this.partitions };
  }

  /** One event of each lane. */
  async send(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      const sends: Promise<unknown>[] = [];
      for (let lane = 0; lane < LANES; lane += 1) {
        const event = collectedEvent({ message_id: `m${String(this.#sent)}`, received_at: Date.now() });
        this.#sent += 1;
        const key = Buffer.from(`w:a:${String(lane)}`);
        sends.push(this.#producer.send('eventsCollected', key, this.codecs.CollectedEvent.encode(event)));
      }
      await Promise.all(sends);
    }
  }

  /** What the toy service wrote to a topic, as readers see it: partition by partition, in order. */
  async activities(topic: 'activitiesLogged' | 'segmentsChanged'): Promise<readonly Activity[]> {
    const ends = await this.#log.admin.endOffsets(topic);
    const seen: Activity[] = [];
    const stretches = ends.map((to, partition) => ({ topic, partition, from: 0, to }));
    for await (const slice of scan({ log: this.#log, time: systemTime }, stretches)) {
      slice.forEach((record) => {
        seen.push(this.codecs.Activity.decode(record.bytes, record.valueStart, record.valueEnd));
      });
    }
    return seen;
  }

  /** Grows with what the service has committed. */
  async written(): Promise<number> {
    const ends = await this.#log.admin.endOffsets('activitiesLogged');
    return ends.reduce((sum, end) => sum + end, 0);
  }

  /** Every event has been counted once, in order. */
  async expectCounted(): Promise<void> {
    const expected = Array.from({ length: this.#sent / LANES }, (_, index) => index + 1);
    const end = Date.now() + SETTLE_MS_MAX;
    for (;;) {
      const counts = await this.#counted();
      const total = [...counts.values()].reduce((sum, lane) => sum + lane.length, 0);
      if (total < this.#sent && Date.now() < end) {
        await sleep(100);
        continue;
      }
      for (let lane = 0; lane < LANES; lane += 1) {
        expect(counts.get(`w:a:${String(lane)}`)).toEqual(expected);
      }
      expect(total).toBe(this.#sent);
      return;
    }
  }

  /** A service in this process; the toy one unless said otherwise. */
  inProcess(options: InProcessOptions): TaskService {
    const { log, spec = toyService, tasks = 1, assignment, time = systemTime } = options;
    const { dataFolder = newFolder() } = options;
    return new TaskService({
      spec,
      layout: { layout: 1, tasks },
      partitions: this.partitions,
      standingClock: false,
      ports: {
        log,
        codecs: this.codecs,
        time,
        logger: silentLogger,
        stores: stateFolders({
          dataFolder,
          snapshotFolder: join(dataFolder, 'snapshots'),
          service: spec.name,
          needs: spec.stores,
          time,
          logger: silentLogger,
        }),
        learn: () => Promise.resolve(false),
        newBatchId: () => 'batch',
      },
      assignment:
        assignment ?? new StaticAssignment({ instance: 0, instances: 1, tasks, exit: () => undefined }),
      onGivenUp: () => undefined,
    });
  }

  /** The counts of each lane, in order. */
  async #counted(): Promise<Map<string, number[]>> {
    const counts = new Map<string, number[]>();
    for (const activity of await this.activities('activitiesLogged')) {
      if (activity.kind !== 'counted') continue;
      const { count } = JSON.parse(activity.detail ?? '{}') as { readonly count: number }; // by the toy service
      const lane = activity.anonymous_id ?? '';
      counts.set(lane, [...(counts.get(lane) ?? []), count]);
    }
    return counts;
  }
}

function openLogUnder(prefix: string): Promise<Log> {
  return openLog({ brokers: testBrokers(), clientId: 'toy-test', prefix });
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'toy-'));
}
