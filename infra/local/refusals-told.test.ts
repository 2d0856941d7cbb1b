/** Who sits before `npm start` hears once a minute of what was refused, and nothing when nothing was. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { refusalsLine, tellRefusals, type RefusedMinute } from './refusals-told.ts';
import { startStatusServer } from '../../services/runtime/status-server.ts';
import { eventually } from '../../services/testing/eventually.ts';

const blank = { reason: 'invalid_call', message: 'event name must not be blank', count: 3 };
const minute = (refusals: RefusedMinute['refusals']): RefusedMinute => ({
  ended_at: '2026-03-01T12:00:00.000Z',
  refused: refusals.reduce((sum, { count }) => sum + count, 0),
  refusals,
});

test('says how many and why', () => {
  expect(refusalsLine(minute([blank]))).toBe(
    '3 calls refused in the last minute: event name must not be blank',
  );
  expect(refusalsLine(minute([blank, { reason: 'rate_limited', message: null, count: 1 }]))).toBe(
    '4 calls refused in the last minute: event name must not be blank (3); rate_limited (1)',
  );
  expect(refusalsLine(minute([{ ...blank, count: 1 }]))).toMatch(/^1 call refused/);
  expect(refusalsLine(minute([]))).toBeUndefined();
});

test('what a caller made up cannot move the cursor, and is cut', () => {
  const line = refusalsLine(minute([{ ...blank, message: `\u001b[2Jgone\n\u202e${'x'.repeat(500)}` }])) ?? '';
  expect(line).toContain(' [2Jgone x');
  expect(line).not.toMatch(/[\u0000-\u001f\u202e]/);
  expect(line.length).toBeLessThan(200);
});

test('a minute is told once; what was before the start is not, nor what an absent gateway cannot say', async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), 'hindsight-told-'));
  let looks = 0;
  let last = { ...minute([blank]), ended_at: 'before' };
  const gateway = {
    name: 'gateway',
    dataFolder,
    ready: () => ({}),
    status: () => {
      looks++;
      return { service: 'gateway', last_minute: last };
    },
  };
  let server = await startStatusServer(gateway);
  const stop = new AbortController();
  const lines: string[] = [];
  const report = (line: string) => void lines.push(line);
  const telling = tellRefusals({ dataFolder, report, stop: stop.signal, pauseMs: 5 });
  await eventually(() => looks > 3);
  expect(lines).toEqual([]);
  last = { ...minute([blank]), ended_at: 'first' };
  await eventually(() => lines.length > 0);
  await server.close();
  server = await startStatusServer(gateway);
  looks = 0;
  await eventually(() => looks > 3);
  last = { ...minute([]), ended_at: 'second' };
  await eventually(() => looks > 6);
  expect(lines).toEqual(['  3 calls refused in the last minute: event name must not be blank']);
  stop.abort();
  await telling;
  await server.close();
  rmSync(dataFolder, { recursive: true, force: true });
});
