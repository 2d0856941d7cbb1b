/** A short run of what `npm run test:attack` does, on an installation of its own, on the parts of a test run. */
import type { AttackReport } from './report.ts';
import { runAttacks } from './run.ts';
import { stackTarget } from './target.ts';

/** @param only as of AttackOptions: fewer of the same. */
export async function shortRun(only?: readonly string[]): Promise<AttackReport> {
  const target = await stackTarget({});
  try {
    return await runAttacks({
      target,
      size: 0.003,
      itemsPerSecond: Infinity,
      quietMs: 2_000,
      ...(only !== undefined && { only }),
      print: () => undefined,
    });
  } finally {
    await target.stop();
  }
}
