/** Asks again and again, at a growing pause, until the answer is yes or the time is up. */
const pauseMsMin = 10;
const pauseMsMax = 100;

export async function pollUntil(timeoutMs: number, ask: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = pauseMsMin; ; pauseMs = Math.min(pauseMs * 2, pauseMsMax)) {
    if (await ask()) return true;
    if (performance.now() + pauseMs > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
