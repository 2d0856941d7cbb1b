/** Ends the parts that parts-setup.ts started. */
const stopMsMax = 30_000;

export default async function stopParts(): Promise<void> {
  const holder = globalThis.testParts;
  if (holder === undefined || holder.exitCode !== null) return;
  await new Promise<void>((done) => {
    const late = setTimeout(() => holder.kill('SIGKILL'), stopMsMax);
    holder.once('exit', () => {
      clearTimeout(late);
      done();
    });
    holder.stdin?.end();
  });
}
