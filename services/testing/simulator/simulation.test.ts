import { describe, expect, jest, test } from '@jest/globals';
import { lanesService } from '../../merger/service.ts';
import { identityService } from '../../identity/service.ts';
import { inAppService } from '../../in-app/service.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { Emitter, ServiceSpec } from '../../runtime/task/ports.ts';
import type { Target } from '../../sink/target.ts';
import { triggerService } from '../../trigger/service.ts';
import { simulate } from './simulation.ts';
import { defaultSize, leapingSize } from './sizes.ts';

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

  test('sees caps that a service exceeds, since it forgets what it has shown', async () => {
    const inApp: ServiceSpec = {
      ...inAppService,
      open: (partition, partitions, stores, codecs) => {
        const { keyed, duplicates } = stores;
        const forgetful: KeyedStore = {
          get: (key) => keyed.get(key),
          put: (key, value) => {
            if (!key.startsWith('v:')) keyed.put(key, value);
          },
          putLate: (key, encode) => {
            keyed.putLate(key, encode);
          },
          delete: (key) => {
            keyed.delete(key);
          },
          scan: (...range) => keyed.scan(...range),
        };
        const own = { keyed: forgetful, duplicates } as typeof stores; // all that it uses of them
        return inAppService.open(partition, partitions, own, codecs);
      },
    };
    const report = await simulate({ ...defaultSize, seed: 3, calm: true, services: { inApp } });
    expect(report.faults.join()).toMatch(/was shown to a\d \d+ times/);
  });

  test('sees a showing that a service tells twice', async () => {
    const inApp = spoiled(inAppService, (emit) => {
      let count = 0;
      return (...output) => {
        emit(...output);
        if (output[0] === 'messagesLogged' && (count += 1) === 20) emit(...output);
      };
    });
    const report = await simulate({ ...defaultSize, seed: 3, calm: true, services: { inApp } });
    expect(report.faults.join()).toMatch(/was told twice/);
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

  test('sees rows that a sink without tokens doubles', async () => {
    let tokens = 0;
    const target = (real: Target): Target => ({
      ...real,
      insert: (insert) => real.insert({ ...insert, token: String((tokens += 1)) }),
    });
    const report = await simulate({ ...defaultSize, seed: 1, target });
    expect(report.faults.join()).toMatch(/stored_merged has \d+ of \d+ rows more than once/);
  });

  test('sees rows that a sink loses which does not read back what it has inserted', async () => {
    const target = (real: Target): Target => ({
      ...real,
      present: (table, ranges) =>
        Promise.resolve(new Map(ranges.map(({ partition }) => [partition, everything]))),
    });
    const report = await simulate({ ...defaultSize, seed: 1, target });
    expect(report.faults.join()).toMatch(/stored_\w+ lacks \d+ of \d+ rows/);
  });

  test('sees a service that refuses to go on although everything reaches back', async () => {
    let opened = 0;
    const trigger: ServiceSpec = {
      ...triggerService,
      open: (...at) => {
        opened += 1;
        if (opened === 6) throw new CodedError('state_lost', 'could not start');
        return triggerService.open(...at);
      },
    };
    const services = { lanes: lanesService, identity: identityService, trigger };
    const report = await simulate({ ...defaultSize, seed: 1, services });
    expect(report.faults.join()).toMatch(/state_lost, though everything reaches back/);
  });

  test('sees a service whose outputs are not a function of its inputs', async () => {
    let draws = 0;
    const trigger = spoiled(triggerService, (emit) => (topic, key, value) => {
      draws += 1;
      emit(topic, `${String(key)}${draws % 7 === 0 ? ' ' : ''}`, value);
    });
    const services = { lanes: lanesService, identity: identityService, trigger };
    const report = await simulate({ ...defaultSize, seed: 1, services });
    expect(report.faults.join()).toMatch(/an alarm was raised: replay_differs/);
  });
});

/** Says that it has whatever is asked for. */
const everything = { has: () => true } as unknown as ReadonlySet<number>; // nothing else of it is used

/** The service with another emit. */
function spoiled(spec: ServiceSpec, spoil: (emit: Emitter['emit']) => Emitter['emit']): ServiceSpec {
  return {
    ...spec,
    open: (...at) => {
      const processor = spec.open(...at);
      let spoiledOut: Emitter | undefined;
      const through = (out: Emitter): Emitter =>
        (spoiledOut ??= {
          emit: spoil((...output) => {
            out.emit(...output);
          }),
          emitTo: (...output) => {
            out.emitTo(...output);
          },
        });
      return {
        onRecord: (record, batch, out) => {
          processor.onRecord(record, batch, through(out));
        },
        onBatchEnd: (batch, out) => {
          processor.onBatchEnd(batch, through(out));
        },
        wantsBatch: (...asked) => processor.wantsBatch(...asked),
        pendingSince: () => processor.pendingSince(),
        receivedAt: (record) => processor.receivedAt(record),
        status: () => processor.status(),
      };
    },
  };
}
