/** The toy service with visitors that send to it, and what must come of it whatever happens in between. */
import { localCodecs } from '../../../schemas/codec.ts';
import { partitionOf } from '../../../schemas/partitioner.ts';
import { assert } from '../../runtime/errors.ts';
import { collectedEvent } from '../collected-event.ts';
import { MemoryBroker } from '../memory/memory-broker.ts';
import { MemoryDisk } from '../memory/memory-stores.ts';
import { TaskProcess, type TaskProcessOptions } from './task-process.ts';
import { toyService } from './toy-service.ts';
import { VirtualTime } from '../virtual-time.ts';

const STOP_MS_MAX = 5_000;

export interface Counted {
  readonly lane: string;
  readonly messageId: string;
  readonly count: number;
}

export class ToyWorld {
  readonly codecs = localCodecs();
  readonly time: VirtualTime;
  readonly broker: MemoryBroker;
  readonly disk = new MemoryDisk();
  #sent: Counted[] = [];
  readonly #counts = new Map<string, number>();

  constructor(partitions = 4, time = new VirtualTime()) {
    this.time = time;
    this.broker = new MemoryBroker(time, partitions);
  }

  process(options: Partial<TaskProcessOptions> = {}): TaskProcess {
    const { broker, disk, codecs } = this;
    return new TaskProcess({ broker, disk, codecs, spec: toyService, ...options });
  }

  /** SIGTERM. */
  async stop(process: TaskProcess): Promise<void> {
    let stopped = false;
    const stopping = process.service.stop().then(() => {
      stopped = true;
    });
    assert(await this.time.until(() => stopped, STOP_MS_MAX), 'the process stops within five seconds');
    await stopping;
  }

  /** One event of each of so many lanes. */
  send(lanes: number, receivedAt = this.time.now()): void {
    for (let number = 0; number < lanes; number += 1) this.sendTo(number, receivedAt);
  }

  /** One event of this lane. */
  sendTo(number: number, receivedAt = this.time.now()): void {
    const lane = `w:a:${String(number)}`;
    const messageId = `m${String(this.#sent.length)}`;
    const count = (this.#counts.get(lane) ?? 0) + 1;
    this.#counts.set(lane, count);
    this.#sent.push({ lane, messageId, count });
    this.sendValue(lane, this.event(messageId, receivedAt));
  }

  event(messageId: string, receivedAt = this.time.now()): Buffer {
    return this.codecs.CollectedEvent.encode(
      collectedEvent({ message_id: messageId, received_at: receivedAt }),
    );
  }

  sendValue(lane: string, value: Buffer): void {
    const partition = partitionOf(lane, this.broker.partitions);
    this.broker.append([{ topic: 'eventsCollected', partition, key: Buffer.from(lane), value }]);
  }

  define(id: string): void {
    const value = this.codecs.Definition.encode({
      kind: 'workspace',
      workspace: 'default',
      id,
      version: 1,
      deleted: false,
      at: 0,
      body: '{}',
    });
    this.broker.append([{ topic: 'definitions', partition: 0, key: Buffer.from(id), value }]);
  }

  setClock(at: number): void {
    const value = this.codecs.Definition.encode({
      kind: 'clock',
      workspace: '',
      id: 'clock',
      version: 1,
      deleted: false,
      at,
      body: null,
    });
    this.broker.append([{ topic: 'definitions', partition: 0, key: Buffer.from('clock'), value }]);
  }

  /** What readers see of one kind, by lane in order. */
  seen(kind: 'counted' | 'timer'): Counted[] {
    const seen: Counted[] = [];
    for (const { record } of this.broker.committed('activitiesLogged')) {
      const activity = this.codecs.Activity.decode(record.value ?? Buffer.alloc(0));
      if (activity.kind !== kind) continue;
      const detail = JSON.parse(activity.detail ?? '{}') as { count?: number };
      seen.push({
        lane: activity.anonymous_id ?? '',
        messageId: activity.message_id ?? '',
        count: detail.count ?? 0,
      });
    }
    return byLane(seen);
  }

  /** Each event counted once, in order: what `seen` must be. */
  get expected(): Counted[] {
    return byLane(this.#sent);
  }

  get sent(): number {
    return this.#sent.length;
  }

  settled(): boolean {
    return this.seen('counted').length >= this.#sent.length;
  }

  /** Journal records of a task, committed. */
  journal(task = 0) {
    return this.broker
      .committed(toyService.journal)
      .filter(({ partition }) => partition === task)
      .map(({ record }) => this.codecs.BatchRecord.decode(record.value ?? Buffer.alloc(0)));
  }
}

/** Sorted by lane only: within a lane the order is what is tested. */
function byLane(counted: readonly Counted[]): Counted[] {
  return [...counted].sort((a, b) => (a.lane < b.lane ? -1 : Number(a.lane > b.lane)));
}
