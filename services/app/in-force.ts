/**
 * Is what was stored on `definitions` in force? A task takes definitions between two batches, so until it says that it
 * has them, what it handles next may still go by the older ones. A call waits for that, within a bound, and is told who
 * is still behind.
 *
 * An offset that a task has once taken stays taken: a task that starts again reads the topic to its end before its first
 * batch. So an answer that is a little old counts, and calls that wait at one time share it.
 */
import type { FastifyReply } from 'fastify';
import type { Behind } from '../../schemas/http/app.ts';
import { systemTime, type TimePort } from '../runtime/time.ts';
import { answer } from './answers.ts';
import { pollUntil } from './poll.ts';
import type { DefinitionKind, DefinitionsStore, ServiceStatus, Statuses } from './ports.ts';

type StoredKind = DefinitionKind | 'clock';

/** Services whose decisions go by it. Gateways answer it again, so each of them that is known is asked, too. */
export const READERS: Readonly<Record<StoredKind, readonly string[]>> = {
  workspace: ['identity', 'trigger'],
  segment: ['trigger'],
  journey: ['trigger'],
  message: ['in-app'],
  clock: ['merger', 'identity', 'trigger', 'in-app'],
};
const GATEWAY = 'gateway';
const answerGoodMs = 10;

export interface InForceOptions {
  readonly statuses: Pick<Statuses, 'instances'>;
  readonly definitions: Pick<DefinitionsStore, 'offset'>;
  /** ms that a PUT or DELETE waits at most. */
  readonly waitMsMax: number;
  readonly time?: TimePort;
}

export class InForce {
  readonly #options: InForceOptions;
  readonly #time: TimePort;
  readonly #asked = new Map<string, Asked>();
  /** One for each call that waits. */
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  constructor(options: InForceOptions) {
    this.#options = options;
    this.#time = options.time ?? systemTime;
  }

  /** Who waits is answered at once, with what is behind. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
  }

  /** 200 when what was just stored is in force, 202 with what is behind when it is not so in time. */
  async answer(reply: FastifyReply, kind: StoredKind, body: object): Promise<FastifyReply> {
    const behind = await this.wait(kind);
    return behind.length === 0 ? answer(reply, 200, body) : answer(reply, 202, { ...body, behind });
  }

  /** Resolves with nothing as soon as all that is stored now is in force, else after `msMax` with what is behind. */
  async wait(kind: StoredKind, msMax = this.#options.waitMsMax): Promise<readonly Behind[]> {
    const { offset } = this.#options.definitions;
    const services = [...READERS[kind], GATEWAY];
    const behind = new Map(services.map((service) => [service, asked(service)]));
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    if (this.#isClosed) end();
    this.#ends.add(end);
    const polls = services.map((service) =>
      pollUntil(
        msMax,
        async () => {
          const now = behindOf(service, await this.#ask(service), offset);
          if (!over.signal.aborted) behind.set(service, now);
          return now.length === 0;
        },
        { time: this.#time, signal: over.signal },
      ),
    );
    // A service that hangs takes its time to give no answer; the bound is this one.
    await Promise.race([Promise.all(polls), this.#time.sleep(msMax, over.signal)]);
    end();
    this.#ends.delete(end);
    return [...behind.values()].flat();
  }

  /** However many calls wait, a service is asked once at a time, and a hundred times a second at most. */
  #ask(service: string): Promise<Instances> {
    const last = this.#asked.get(service);
    if (last !== undefined && this.#time.monotonicMs() < last.goodUntil) return last.answers;
    const asked = {
      answers: this.#options.statuses.instances(service).catch(() => [undefined]),
      goodUntil: Infinity,
    };
    this.#asked.set(service, asked);
    void asked.answers.then(() => {
      asked.goodUntil = this.#time.monotonicMs() + answerGoodMs;
    });
    return asked.answers;
  }
}

interface Asked {
  readonly answers: Promise<Instances>;
  /** While it is asked, for ever. */
  goodUntil: number;
}

/** What each known process of a service says; undefined: it does not answer. */
type Instances = readonly (ServiceStatus | undefined)[];

/** @param offset one past the last definition that must have been taken. */
export function behindOf(service: string, instances: Instances, offset: number): readonly Behind[] {
  if (service === GATEWAY) return instances.flatMap((status) => wholeBehind(service, status, offset));
  const answers = instances.filter((status) => status !== undefined);
  if (instances.length === 0) {
    return [
      {
        service,
        what: 'no process of it is known here: it has not started, or HINDSIGHT_STATUS_URLS lacks it',
      },
    ];
  }
  if (answers.length === 0) return silent(service);
  const tasks = answers.flatMap((status) => status.tasks ?? []);
  const tasksInAll = Math.max(...answers.map((status) => status.tasks_in_all ?? 0));
  // A version before this one says it for the whole process only.
  if (tasksInAll === 0) return answers.flatMap((status) => wholeBehind(service, status, offset));
  return Array.from({ length: tasksInAll }, (_, task) => task).flatMap((task) => {
    const here = tasks.filter((each) => each.task === task);
    if (here.length === 0) return [{ service, task, what: 'no process that answers has this task' }];
    // Two have it while one is about to learn that it was replaced. Which one is not known, so both count.
    const last = here.reduce((a, b) => (takenBy(a) <= takenBy(b) ? a : b));
    if (takenBy(last) >= offset) return [];
    const what = last.state === 'live' ? taken(takenBy(last), offset) : `is ${last.state ?? 'not live'}`;
    return [{ service, task, what }];
  });
}

function wholeBehind(service: string, status: ServiceStatus | undefined, offset: number): readonly Behind[] {
  if (status === undefined) return silent(service);
  return takenBy(status) >= offset ? [] : [{ service, what: taken(takenBy(status), offset) }];
}

function asked(service: string): readonly Behind[] {
  return [{ service, what: 'has not answered yet' }];
}

function silent(service: string): readonly Behind[] {
  return [{ service, what: 'does not answer' }];
}

function takenBy({ definitions_offset = 0 }: { readonly definitions_offset?: number }): number {
  return definitions_offset;
}

function taken(now: number, offset: number): string {
  return `has taken the definitions up to offset ${String(now)} of ${String(offset)}`;
}
