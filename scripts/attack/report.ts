/** What an attack came to, and what of it breaks the rule. */
import { paths, type Bystander, type Path } from './bystander.ts';
import type { Answers } from './caller.ts';

/** Of the bystanders' events that were seen in that stretch, ms. */
export interface Measure {
  readonly bystander: string;
  readonly path: Path;
  readonly events: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** When the slowest was sent; undefined: none was. */
  readonly slowestSentAt: Date | undefined;
}

export interface Stretch {
  readonly name: string;
  readonly ms: number;
  readonly measures: readonly Measure[];
  readonly answers?: Answers;
}

export interface AttackReport {
  readonly stretches: readonly Stretch[];
  readonly looks: number;
  readonly notReady: number;
  readonly firstNotReady: string | undefined;
  /** Highest, bytes, by process. */
  readonly memory: ReadonlyMap<string, number>;
  readonly dropped: ReadonlyMap<string, number>;
  readonly bystanders: readonly {
    readonly name: string;
    readonly acknowledged: number;
    readonly refused: number;
    readonly lost: number;
    readonly doubled: number;
  }[];
}

/** What may be, at most. */
export interface Bounds {
  /** From a bystander's call until ClickHouse has the event, ms. */
  readonly latencyMsMax: number;
  /** Of each service of ours, bytes. */
  readonly memoryBytesMax: number;
}

const services = ['gateway', 'merger', 'identity', 'trigger', 'in-app', 'sink'];
/** Reasons of rows behind which a dead letter lies. */
const letterReasons = ['not_handled', 'undecodable'];

export function measuresOf(stretch: string, bystanders: readonly Bystander[]): Measure[] {
  return bystanders.flatMap((bystander) =>
    paths.map((path) => {
      const taken = bystander.latencies(stretch, path);
      const at = (share: number): number => taken[Math.ceil(taken.length * share) - 1]?.ms ?? 0;
      return {
        bystander: bystander.name,
        path,
        events: taken.length,
        p50: at(0.5),
        p99: at(0.99),
        max: at(1),
        slowestSentAt: taken.at(-1)?.sentAt,
      };
    }),
  );
}

/** Rows of dead letters of all services. */
export function letters({ dropped }: AttackReport): number {
  let sum = 0;
  for (const [what, times] of dropped)
    if (letterReasons.some((reason) => what.endsWith(reason))) sum += times;
  return sum;
}

/** In words, what breaks the rule whatever the machine: nothing lost, nobody stopped. */
export function faultsOf(report: AttackReport): string[] {
  const faults: string[] = [];
  for (const { name, lost, doubled, refused } of report.bystanders) {
    if (lost > 0) faults.push(`${String(lost)} events of the bystander ${name} are lost`);
    if (doubled > 0) faults.push(`${String(doubled)} events of the bystander ${name} are doubled`);
    if (refused > 0) faults.push(`${String(refused)} calls of the bystander ${name} were not taken`);
  }
  return faults;
}

/** What goes by the machine, too. */
export function excessesOf(report: AttackReport, bounds: Bounds): string[] {
  const excesses: string[] = [];
  // A service that gets no processor does not answer in time whether it is ready.
  if (report.notReady > 0) {
    excesses.push(`it was not ready at ${String(report.notReady)} looks: ${report.firstNotReady ?? ''}`);
  }
  for (const { name, measures } of report.stretches) {
    for (const { bystander, path, max, slowestSentAt } of measures) {
      if (max <= bounds.latencyMsMax) continue;
      const sent = slowestSentAt === undefined ? '' : `, sent at ${slowestSentAt.toISOString()}`;
      excesses.push(`${name}: ${path} of ${bystander} after ${max.toFixed(0)} ms${sent}`);
    }
  }
  for (const [process, bytes] of report.memory) {
    if (!services.includes(process) || bytes <= bounds.memoryBytesMax) continue;
    excesses.push(`${process} took ${mebibytes(bytes)}`);
  }
  return excesses;
}

export function describe(report: AttackReport): string {
  const lines = report.stretches.map(({ name, ms, measures, answers }) => {
    const sent = answers === undefined ? '' : `${String(answers.items)} sent (${statusesOf(answers)})`;
    const told = measures
      .filter(({ events }) => events > 0)
      .map(({ bystander, path, p50, p99, max }) => `    ${bystander} ${path}: ${figures([p50, p99, max])}`);
    return [`${name}: ${(ms / 1_000).toFixed(0)} s ${sent}`, ...told].join('\n');
  });
  const memory = [...report.memory].map(([name, bytes]) => `${name} ${mebibytes(bytes)}`).join(', ');
  const dropped = [...report.dropped].map(([what, times]) => `    ${what}: ${String(times)}`);
  const bystanders = report.bystanders.map(
    ({ name, acknowledged, lost, doubled, refused }) =>
      `bystander ${name}: ${String(acknowledged)} events acknowledged, ${String(lost)} lost, ${String(doubled)} doubled, ${String(refused)} calls refused`,
  );
  return [
    'latencies in ms: p50, p99, max',
    ...lines,
    ...bystanders,
    `ready at ${String(report.looks - report.notReady)} of ${String(report.looks)} looks`,
    `memory at most: ${memory}`,
    `dead letters: ${String(letters(report))}`,
    'rows of dropped:',
    ...dropped,
  ].join('\n');
}

function statusesOf({ statuses }: Answers): string {
  return [...statuses].map(([status, times]) => `${status}: ${String(times)}`).join(', ');
}
function figures(values: readonly number[]): string {
  return values.map((ms) => ms.toFixed(0)).join(', ');
}
function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(0)} MiB`;
}
