/**
 * Long runs of the merger's model test: random histories through lanes and identity and through a naive oracle, one
 * process, no broker. Says how far it is when it takes more than two seconds; a history that fails is shrunk to the
 * shortest that still does, and told in words with the seed and the path that repeat it.
 */
import fc from 'fast-check';
import { history, schedule, type History } from '../../services/testing/model/history.ts';
import { play } from '../../services/testing/model/play.ts';
import { differences, replayFaults } from '../../services/testing/model/story.ts';
import { told } from '../../services/testing/model/tell.ts';

/** One history in so many is replayed too, with a restart before every batch. */
const REPLAYED_ONE_IN = 20;
const PROGRESS_MS = 2_000;
/** What has not been made shorter by then is told as it is. */
const SHRINKING_MS_MAX = 60_000;

export interface HistoriesOptions {
  readonly seed: number;
  readonly histories: number;
  /** Of a failure: begins at that history. */
  readonly path?: string | undefined;
}

/** Returns whether all held. */
export function simulateHistories({ seed, histories, path }: HistoriesOptions): boolean {
  const progress = new Progress(histories);
  const property = fc.property(history, schedule, (each, choices) => {
    progress.played();
    if (progress.sinceFailureMs() > SHRINKING_MS_MAX) return;
    const faults = caught(() => faultsOf(each, choices));
    if (faults.length === 0) return;
    progress.failed();
    throw new Failure(faults);
  });
  const run = fc.check(property, { seed, numRuns: histories, ...(path !== undefined && { path }) });
  if (!run.failed) {
    console.log(
      `seed ${String(seed)}: ${String(histories)} histories, ${progress.rate()}: all as the oracle says`,
    );
    return true;
  }
  const [shrunk, choices] = run.counterexample ?? [];
  console.error(
    `seed ${String(seed)}: history ${String(run.numRuns)} came to something else than the oracle says`,
  );
  if (shrunk !== undefined) for (const line of told(shrunk)) console.error(`  ${line}`);
  console.error(`  schedule: ${JSON.stringify(choices)}`);
  const { errorInstance: error } = run;
  for (const line of error instanceof Failure
    ? error.faults
    : [error instanceof Error ? error.stack : error]) {
    console.error(`  ${String(line)}`);
  }
  const again = `npm run simulate -- --seed ${String(seed)} --histories 1 --path ${run.counterexamplePath ?? ''}`;
  console.error(`repeat it: ${again}`);
  return false;
}

class Failure extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super('the merger came to something else than the oracle says');
    this.faults = faults;
  }
}

/** An assertion of the code under test is a fault like others. */
function caught(faultsOf: () => readonly string[]): readonly string[] {
  try {
    return faultsOf();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

function faultsOf(each: History, choices: readonly number[]): readonly string[] {
  const played = play(each, choices);
  const faults = differences(played);
  const replays = (choices[0] ?? 0) % REPLAYED_ONE_IN === 0;
  return faults.length > 0 || !replays ? faults : replayFaults(played);
}

/** To standard error, so that what the run comes to stands alone on standard output. */
class Progress {
  readonly #of: number;
  readonly #start = performance.now();
  #last = this.#start;
  #played = 0;
  #failedAt: number | undefined;

  constructor(histories: number) {
    this.#of = histories;
  }

  played(): void {
    this.#played += 1;
    const now = performance.now();
    if (now - this.#last < PROGRESS_MS) return;
    this.#last = now;
    const doing = this.#failedAt === undefined ? '' : ': one failed; looking for a shorter one that does';
    console.error(`${String(this.#played)} of ${String(this.#of)} histories, ${this.rate()}${doing}`);
  }

  failed(): void {
    this.#failedAt ??= performance.now();
  }
  sinceFailureMs(): number {
    return this.#failedAt === undefined ? 0 : performance.now() - this.#failedAt;
  }

  rate(): string {
    const seconds = (performance.now() - this.#start) / 1_000;
    return `${String(Math.round(this.#played / seconds))} histories/s`;
  }
}
