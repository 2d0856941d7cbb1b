import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_AGAIN_MS = 10;
const HANGS_MS = 240_000;

/** Waits until it holds, for as long as a busy machine needs. The limit is for what never comes. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + HANGS_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${holds.toString()}`);
    await sleep(LOOK_AGAIN_MS);
  }
}
