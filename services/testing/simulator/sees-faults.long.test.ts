/** What a service, a sink or a store may do wrong, done on purpose: the simulator says so. Two of them are in simulation.test.ts. */
import { describe, expect, jest, test } from '@jest/globals';
import { identityService } from '../../identity/service.ts';
import { inAppService } from '../../in-app/service.ts';
import { lanesService } from '../../merger/service.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import type { Target } from '../../sink/target.ts';
import { triggerService } from '../../trigger/service.ts';
import { simulate } from './simulation.ts';
import { defaultSize } from './sizes.ts';
import { spoiled } from './spoiled-service.ts';

// Virtual minutes take real seconds, more of them on a busy machine.
jest.setTimeout(900_000);

describe('the verdict', () => {
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
