/** What else the verdict sees is in sees-faults.long.test.ts. */
import { describe, expect, jest, test } from '@jest/globals';
import { lanesService } from '../../merger/service.ts';
import { identityService } from '../../identity/service.ts';
import { triggerService } from '../../trigger/service.ts';
import { simulate } from './simulation.ts';
import { defaultSize, leapingSize } from './sizes.ts';
import { spoiled } from './spoiled-service.ts';

const small = { ...defaultSize, visitors: 20, spanMs: 15_000, clients: 1, callsOfClient: 10 };
const seed = 1;
const seedOnFiles = 13;
const seedWithLeaps = 15;
// Virtual minutes take real seconds, more of them on a busy machine.
jest.setTimeout(900_000);

describe('the whole path under a seed', () => {
  test('keeps its promises on a calm day', async () => {
    const report = await simulate({ ...defaultSize, seed: 3, calm: true });
    expect(report.faults).toEqual([]);
    expect(report.kills).toBe(0);
  });

  test('keeps its promises through crashes and changes of owner', async () => {
    const report = await simulate({ ...defaultSize, seed });
    expect(report.faults).toEqual([]);
    expect(report.kills + report.takeovers).toBeGreaterThan(5);
    expect(report.messagesTold).toBeGreaterThan(50);
  });

  test('does so while the clock goes on by minutes to months', async () => {
    const report = await simulate({ ...leapingSize, seed: seedWithLeaps });
    expect(report.faults).toEqual([]);
    expect(report.controls).toBeGreaterThan(10);
  });

  test('does so with its state on real files, to the same bytes', async () => {
    const report = await simulate({ ...small, seed: seedOnFiles, files: true });
    expect(report.faults).toEqual([]);
    expect(await simulate({ ...small, seed: seedOnFiles })).toEqual(report);
  });

  test('gives the same bytes on every topic for the same seed, and others for another', async () => {
    const [first, again, other] = [
      await simulate({ ...small, seed: 7 }),
      await simulate({ ...small, seed: 7 }),
      await simulate({ ...small, seed: 8 }),
    ];
    expect(again).toEqual(first);
    expect(other.hash).not.toBe(first.hash);
  });

  test('sees an event that a service loses', async () => {
    const lanes = spoiled(lanesService, (emit) => {
      let count = 0;
      return (...output) => {
        if (output[0] === 'eventsMerged') count += 1;
        if (count !== 20) emit(...output);
        else count += 1;
      };
    });
    const services = { lanes, identity: identityService, trigger: triggerService };
    const report = await simulate({ ...small, seed: 3, calm: true, services });
    expect(report.faults.join()).toMatch(/is 0 times on events.merged/);
  });

  test('sees an event that a service doubles', async () => {
    const lanes = spoiled(lanesService, (emit) => {
      let count = 0;
      return (...output) => {
        emit(...output);
        if (output[0] === 'eventsMerged' && (count += 1) === 20) emit(...output);
      };
    });
    const services = { lanes, identity: identityService, trigger: triggerService };
    const report = await simulate({ ...small, seed: 3, calm: true, services });
    expect(report.faults.join()).toMatch(/is 2 times on events.merged/);
  });

  test.each([
    ['loses an outcome of a trigger', 'journeysSkipped', 0, /has 0 outcomes/],
    ['doubles an entry', 'journeysEntered', 2, /has 2 outcomes/],
    ['loses a change of a segment', 'segmentsChanged', 0, /twice|outcomes|times a member/],
  ] as const)('sees a trigger that %s', async (_what, topic, times, fault) => {
    const trigger = spoiled(triggerService, (emit) => {
      let count = 0;
      return (...output) => {
        if (output[0] === topic) count += 1;
        const isSpoiled = output[0] === topic && count === 3;
        for (let time = 0; time < (isSpoiled ? times : 1); time += 1) emit(...output);
      };
    });
    const report = await simulate({ ...small, seed: 3, calm: true, services: { trigger } });
    expect(report.faults.join()).toMatch(fault);
  });
});
