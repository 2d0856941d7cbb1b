/** A part that ends before it is ready is tried again; one that goes on ending is given up with what to do. */
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPart, type EmbeddedPart } from './embedded-part.ts';
import { Supervisor } from './supervisor.ts';

const folder = mkdtempSync(join(tmpdir(), 'embedded-part-'));
const newSupervisor = () =>
  new Supervisor({ restart: true, report: () => undefined, onChange: () => undefined });
let supervisor = newSupervisor();
afterEach(async () => {
  await supervisor.close();
  supervisor = newSupervisor();
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Ends with 1 so many times, saying why, and then stays. */
function endingPart(name: string, times: number): EmbeddedPart {
  const script = `
    const fs = require('node:fs');
    const file = ${JSON.stringify(join(folder, name))};
    const before = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').length : 0;
    fs.appendFileSync(file, 'x');
    if (before < ${String(times)}) { console.error('Acquisition timeout'); process.exit(1); }
    fs.writeFileSync(file + '.up', '');
    setInterval(() => {}, 1000);`;
  return {
    name,
    port: { usual: undefined },
    prepare: () =>
      Promise.resolve({
        name,
        command: process.execPath,
        args: ['-e', script],
        cwd: folder,
        env: {},
        logFile: join(folder, `${name}.log`),
        part: true,
        readyMsMax: 100_000,
        stopMsMax: 5_000,
        isReady: () => Promise.resolve(existsSync(join(folder, `${name}.up`))),
      }),
  };
}

test('a part that ends twice before it is ready is started a third time, and the console says so', async () => {
  const lines: string[] = [];
  await startPart(supervisor, endingPart('busy', 2), (line) => lines.push(line));
  expect([...supervisor.running().keys()]).toEqual(['busy']);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /busy: ended with code 1 before it was ready; it is started again \(attempt 2 of 3/,
  );
}, 60_000);

test('one that ends each time is given up: nothing is damaged, and npm start may be run again', async () => {
  const start = startPart(supervisor, endingPart('broken', 9), () => undefined);
  await expect(start).rejects.toMatchObject({
    code: 'process_failed',
    message: 'could not start broken in 3 attempts: it ended with code 1',
    hint: expect.stringMatching(
      /What is kept is as it was: run npm start again.*which ends with:\n {2}\| Acq/s,
    ),
  });
}, 60_000);

test('one that is stopped while it starts is not tried again', async () => {
  const lines: string[] = [];
  const part = endingPart('slow', 0);
  const start = startPart(
    supervisor,
    {
      ...part,
      prepare: async (port) => ({ ...(await part.prepare(port)), isReady: () => Promise.resolve(false) }),
    },
    (line) => lines.push(line),
  );
  const refused = expect(start).rejects.toMatchObject({ code: 'stopping' });
  while (supervisor.running().size === 0) await new Promise((next) => setImmediate(next));
  await supervisor.close();
  await refused;
  expect(lines).toEqual([]);
}, 60_000);
