/** After the last suite: which ones took longest, by the clock and of processors. */
import type { Reporter, Test, TestResult } from '@jest/reporters';

const TOLD = 20;
/** Of a run of a few suites nobody asks. */
const SUITES_MIN = 20;

interface Suite {
  readonly name: string;
  readonly ms: number;
  /** Of its process and those it started; added by counted-runner.ts. */
  readonly cpuMs: number;
}

export default class SlowestSuites implements Reporter {
  readonly #suites: Suite[] = [];

  onTestFileResult(test: Test, { perfStats }: TestResult): void {
    const name = test.path.slice(test.context.config.rootDir.length + 1);
    const { cpuMs = 0 } = perfStats as { readonly cpuMs?: number };
    this.#suites.push({ name, ms: perfStats.end - perfStats.start, cpuMs });
  }

  onRunComplete(): void {
    if (this.#suites.length < SUITES_MIN) return;
    const sum = (of: (suite: Suite) => number) => this.#suites.reduce((total, suite) => total + of(suite), 0);
    const lines = this.#suites
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, TOLD)
      .map((suite) => line(suite));
    const total = {
      name: `all ${String(this.#suites.length)} suites`,
      ms: sum(({ ms }) => ms),
      cpuMs: sum(({ cpuMs }) => cpuMs),
    };
    process.stderr.write(
      `\nThe slowest suites, seconds by the clock and of processors:\n${[...lines, line(total)].join('\n')}\n`,
    );
  }
}

function line({ name, ms, cpuMs }: Suite): string {
  const seconds = (count: number) => (count / 1_000).toFixed(1).padStart(8);
  return `${seconds(ms)}${seconds(cpuMs)}  ${name}`;
}
