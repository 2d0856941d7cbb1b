/**
 * `GET /health/settled`: has every call acknowledged before this one had its whole effect? Asked stage after stage in
 * the order of the path: where a stage's inputs end now, and whether the stage has handled them and holds nothing back.
 * A stage that is settled can only be unsettled by new calls, since nothing flows back but identity's answers, which
 * the merger is asked about twice. Ends count commit markers and watermarks, which keep coming; each end is therefore
 * taken once and waited for.
 */
import type { TopicId } from '../../schemas/topics.ts';
import type { LogAdmin } from '../runtime/log/ports.ts';
import { pollUntil } from './poll.ts';
import type { ServiceStatus, Statuses } from './ports.ts';

export interface SettledOptions {
  readonly admin: Pick<LogAdmin, 'writtenOffsets'>;
  readonly statuses: Statuses;
  /** Bytes that were acknowledged and are not on the log yet. */
  readonly spooledBytes: () => number;
  /** The standing test clock, ms: services that say how far their timers are must have reached it. */
  readonly clock: () => number | undefined;
  /** One past the last definition. */
  readonly definitionsEnd: () => number;
}

interface Step {
  readonly name: string;
  readonly service: 'merger' | 'identity' | 'trigger' | 'in-app' | 'sink';
  /** undefined: all that the service reads. */
  readonly topics?: readonly TopicId[];
  /** Its own outputs come back to it: asked until their ends stay. */
  readonly repeats?: boolean;
}

const STEPS: readonly Step[] = [
  { name: 'lanes have read events.collected', service: 'merger', topics: ['eventsCollected'] },
  { name: 'identity has decided', service: 'identity', topics: ['identityRequests'] },
  { name: 'lanes have taken the decisions', service: 'merger', topics: ['identityDecisions'] },
  { name: 'rules are evaluated', service: 'trigger', topics: ['eventsMerged'] },
  { name: 'transfers are done', service: 'trigger', topics: ['triggerTransfers'], repeats: true },
  {
    name: 'messages know their visitors',
    service: 'in-app',
    topics: ['eventsCollected', 'identityDecisions', 'eventsMerged', 'inAppRequests'],
  },
  { name: 'exposures are with their people', service: 'in-app', topics: ['inAppTransfers'], repeats: true },
  { name: 'ClickHouse is written', service: 'sink' },
];

export interface StepReport {
  readonly step: string;
  readonly ok: boolean;
  /** What it still has. */
  readonly waiting?: readonly string[];
}
export interface SettledReport {
  readonly settled: boolean;
  readonly steps: readonly StepReport[];
}

export async function checkSettled(options: SettledOptions, timeoutMs: number): Promise<SettledReport> {
  const deadline = performance.now() + timeoutMs;
  const steps: StepReport[] = [];
  const isOnLog = () => Promise.resolve(options.spooledBytes() === 0);
  if (!(await pollUntil(deadline - performance.now(), isOnLog))) {
    const waiting = [`${String(options.spooledBytes())} bytes on the disk of the gateway`];
    return { settled: false, steps: [{ step: 'the log has what was acknowledged', ok: false, waiting }] };
  }
  for (const step of STEPS) {
    const waiting = await settle(options, step, deadline);
    steps.push(
      waiting.length === 0 ? { step: step.name, ok: true } : { step: step.name, ok: false, waiting },
    );
    if (waiting.length > 0) return { settled: false, steps };
  }
  return { settled: true, steps };
}

async function settle(options: SettledOptions, step: Step, deadline: number): Promise<readonly string[]> {
  let ends = await endsOf(options, step);
  for (;;) {
    let waiting: readonly string[] = [];
    await pollUntil(deadline - performance.now(), async () => {
      waiting = lacking(options, await options.statuses.of(step.service), ends);
      return waiting.length === 0;
    });
    if (waiting.length > 0 || step.repeats !== true) return waiting;
    const again = await endsOf(options, step);
    if (isSame(again, ends)) return [];
    ends = again;
  }
}

type Ends = ReadonlyMap<TopicId, readonly number[]>;

async function endsOf({ admin, statuses }: SettledOptions, step: Step): Promise<Ends> {
  const topics = step.topics ?? topicsRead(await statuses.of(step.service));
  const ends = await Promise.all(
    topics.map(async (topic) => [topic, await admin.writtenOffsets(topic)] as const),
  );
  return new Map(ends);
}

function lacking(options: SettledOptions, status: ServiceStatus | undefined, ends: Ends): readonly string[] {
  if (status === undefined) return ['the service does not answer'];
  // A service that has just started does not know yet where it goes on, so it has handled nothing for certain.
  if (ends.size === 0) return ['the service starts'];
  const waiting: string[] = [];
  for (const [topic, offsets] of ends) {
    const handled = status.inputs?.[topic] ?? [];
    const behind = offsets.reduce(
      (sum, end, partition) => sum + Math.max(end - (handled[partition] ?? 0), 0),
      0,
    );
    if (behind > 0) waiting.push(`${String(behind)} records of ${topic}`);
  }
  const unsettled = status.unsettled ?? 0;
  if (unsettled > 0) waiting.push(`${String(unsettled)} things that it holds back`);
  const definitionsBehind = options.definitionsEnd() - (status.definitions_offset ?? Infinity);
  if (definitionsBehind > 0) waiting.push(`${String(definitionsBehind)} definitions`);
  const clock = options.clock();
  if (clock !== undefined && status.watermark !== undefined && status.watermark < clock) {
    waiting.push(`timers until ${new Date(clock).toISOString()}`);
  }
  return waiting;
}

function topicsRead(status: ServiceStatus | undefined): readonly TopicId[] {
  return Object.keys(status?.inputs ?? {}) as TopicId[]; // the keys of a record by TopicId
}

function isSame(a: Ends, b: Ends): boolean {
  return [...a].every(([topic, ends]) => ends.every((end, partition) => b.get(topic)?.[partition] === end));
}
