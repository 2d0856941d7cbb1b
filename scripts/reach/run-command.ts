import { CodedError } from '../../services/runtime/errors.ts';

/** What ends it is said as sentences, and the exit code is 1. */
export async function runCommand(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const hint = error instanceof CodedError ? (error.hint ?? '') : '';
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}. ${hint}\n`);
    process.exitCode = 1;
  }
}
