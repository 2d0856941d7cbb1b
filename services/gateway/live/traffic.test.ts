/** What came in a minute is one line of the log, and nothing is said of a minute in which nothing came. */
import { expect, test } from '@jest/globals';
import type { ServiceStatus } from '../../app/plugin.ts';
import { Traffic, refusalTextsMax } from './traffic.ts';
import { TrafficLines } from './traffic-lines.ts';

const ok = { answered: 'ok', reason: null, message: null } as const;
const blank = {
  answered: 'dropped',
  reason: 'invalid_call',
  message: 'event name must not be blank',
} as const;
const fast = { answered: 'limited', reason: 'rate_limited', message: 'too fast' } as const;

interface Line {
  readonly fields: unknown;
  readonly message: string;
}

function linesOf(traffic: Traffic, statuses: Readonly<Record<string, ServiceStatus>> = {}) {
  const lines: Line[] = [];
  const writer = new TrafficLines({
    traffic,
    statuses: { of: (service) => Promise.resolve(statuses[service]) },
    admin: { writtenOffsets: () => Promise.resolve([10, 20]) },
    logger: { info: (fields, message) => void lines.push({ fields, message }) },
    now: () => 60_000,
  });
  return { lines, writer };
}

test('calls, refusals by reason and lag of each service are one line', async () => {
  const traffic = new Traffic();
  for (const call of [ok, ok, { ...ok, answered: 'corrected' } as const, blank, blank, fast])
    traffic.count(call);
  const { lines, writer } = linesOf(traffic, { merger: { inputs: { eventsCollected: [10, 17] } } });
  await writer.write();
  expect(lines).toEqual([
    {
      message: 'traffic of the last minute',
      fields: {
        calls: 6,
        corrected: 1,
        refused: 3,
        refusals: { invalid_call: 2, rate_limited: 1 },
        lag_records: { merger: 3, identity: null, trigger: null, 'in-app': null, sink: null },
      },
    },
  ]);
});

test('a minute without calls says nothing, and the next begins at nothing', async () => {
  const traffic = new Traffic();
  const { lines, writer } = linesOf(traffic);
  await writer.write();
  traffic.count(blank);
  await writer.write();
  await writer.write();
  traffic.count(ok);
  await writer.write();
  expect(lines.map(({ fields }) => fields)).toMatchObject([
    { calls: 1, refused: 1 },
    { calls: 1, refused: 0, refusals: {} },
  ]);
});

test('texts of refusals are bounded, whatever callers make up, and none is lost from the sum', () => {
  const traffic = new Traffic();
  for (let at = 0; at < refusalTextsMax + 30; at++) traffic.count({ ...blank, message: `m${String(at)}` });
  const minute = traffic.end(0);
  expect(minute?.refused).toBe(refusalTextsMax + 30);
  expect(minute?.refusals).toHaveLength(refusalTextsMax + 1);
  expect(minute?.refusals[0]).toEqual({ reason: 'other', message: null, count: 30 });
});
