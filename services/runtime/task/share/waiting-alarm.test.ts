import { expect, test } from '@jest/globals';
import type { Logger } from '../../logger.ts';
import { WaitingAlarm, waitingRecordsMin } from './waiting-alarm.ts';

test('a workspace that waits for long is told once, and once that it is over', () => {
  const told: string[] = [];
  const line =
    (level: string) =>
    (fields: object, text: string): void => {
      told.push(`${level} ${JSON.stringify(fields)} ${text.slice(0, 13)}`);
    };
  const logger = { error: line('error'), info: line('info') } as unknown as Logger; // asked for no other level
  const workspaces = new Map<string, number>();
  const runner = { waiting: { records: 0, bytes: 0, workspaces } };
  const alarm = new WaitingAlarm([runner, runner], logger);
  let now = 0;
  const look = (records: number | undefined): void => {
    workspaces.clear();
    if (records !== undefined) workspaces.set('flood', records);
    now += 10_000;
    alarm.tell(now);
    alarm.tell(now + 1);
  };
  look(waitingRecordsMin / 2 - 1); // of each of two partitions
  look(waitingRecordsMin);
  expect(told).toEqual([]);
  look(waitingRecordsMin);
  look(waitingRecordsMin);
  look(1);
  expect(told).toEqual([
    `error {"workspace":"flood","records":${String(2 * waitingRecordsMin)}} a workspace s`,
  ]);
  look(undefined);
  look(undefined);
  expect(told.slice(1)).toEqual(['info {"workspace":"flood"} nothing of th']);
});
