import { describe, expect, test } from '@jest/globals';
import type { TopicId } from '../../schemas/topics.ts';
import type { ServiceStatus } from './ports.ts';
import { checkSettled, type SettledOptions } from './settled.ts';

/** An installation of one partition in which everything has been handled; tests change one thing. */
function installation() {
  const ends: Partial<Record<TopicId, number>> = {
    eventsCollected: 10,
    identityRequests: 5,
    identityDecisions: 4,
    eventsMerged: 20,
    triggerTransfers: 3,
    inAppRequests: 6,
    inAppTransfers: 1,
  };
  const statuses: Record<string, ServiceStatus> = {
    merger: {
      unsettled: 0,
      definitions_offset: 2,
      inputs: { eventsCollected: [10], identityDecisions: [4] },
    },
    identity: { unsettled: 0, definitions_offset: 2, inputs: { identityRequests: [5] } },
    trigger: { unsettled: 0, definitions_offset: 2, inputs: { eventsMerged: [20], triggerTransfers: [3] } },
    'in-app': {
      unsettled: 0,
      definitions_offset: 2,
      inputs: {
        eventsCollected: [10],
        identityDecisions: [4],
        eventsMerged: [20],
        inAppRequests: [6],
        inAppTransfers: [1],
      },
    },
    sink: { inputs: { eventsMerged: [20], eventsCollected: [10] } },
  };
  const asked: string[] = [];
  const options: SettledOptions = {
    admin: { writtenOffsets: (topic) => Promise.resolve([ends[topic] ?? 0]) },
    statuses: {
      of: (service) => {
        asked.push(service);
        return Promise.resolve(statuses[service]);
      },
      instances: (service) => Promise.resolve([statuses[service]]),
      names: () => Promise.resolve(Object.keys(statuses)),
      ready: () => Promise.resolve({ ok: true }),
    },
    spooledBytes: () => 0,
    clock: () => undefined,
    definitionsEnd: () => 2,
  };
  return { ends, statuses, asked, options };
}

const soonMs = 60;

describe('GET /health/settled', () => {
  test('everything handled is settled', async () => {
    expect((await checkSettled(installation().options, soonMs)).settled).toBe(true);
  });

  test('what waits on the disk of the gateway is not', async () => {
    const options = { ...installation().options, spooledBytes: () => 7 };
    expect(await checkSettled(options, soonMs)).toEqual({
      settled: false,
      steps: [
        {
          step: 'the log has what was acknowledged',
          ok: false,
          waiting: ['7 bytes on the disk of the gateway'],
        },
      ],
    });
  });

  test.each([
    [
      'a collected event is not read',
      { merger: { inputs: { eventsCollected: [9], identityDecisions: [4] } } },
      0,
      '1 records of eventsCollected',
    ],
    ['the sink was killed and starts again', { sink: { inputs: {} } }, 7, 'the service starts'],
    ['a lane asks', { merger: { unsettled: 2 } }, 0, '2 things that it holds back'],
    ['a definition is not taken', { merger: { definitions_offset: 1 } }, 0, '1 definitions'],
    ['a control call is held', { identity: { unsettled: 1 } }, 1, '1 things that it holds back'],
    [
      'a decision is not taken',
      { merger: { inputs: { eventsCollected: [10], identityDecisions: [3] } } },
      2,
      '1 records of identityDecisions',
    ],
    [
      'a merged event is not evaluated',
      { trigger: { inputs: { eventsMerged: [19], triggerTransfers: [3] } } },
      3,
      '1 records of eventsMerged',
    ],
    [
      'a transfer is not done',
      { trigger: { inputs: { eventsMerged: [20], triggerTransfers: [2] } } },
      4,
      '1 records of triggerTransfers',
    ],
    [
      'a row is not written',
      { sink: { inputs: { eventsMerged: [20], eventsCollected: [8] } } },
      7,
      '2 records of eventsCollected',
    ],
  ])('not while %s', async (_what, change: Record<string, ServiceStatus>, step, waiting) => {
    const { statuses, options } = installation();
    for (const [name, status] of Object.entries(change)) statuses[name] = { ...statuses[name], ...status };
    const report = await checkSettled(options, soonMs);
    expect(report.settled).toBe(false);
    expect(report.steps).toHaveLength(step + 1);
    expect(report.steps[step]).toMatchObject({ ok: false, waiting: [waiting] });
  });

  test('not while a service is down', async () => {
    const { statuses, options } = installation();
    delete statuses['identity'];
    const report = await checkSettled(options, soonMs);
    expect(report.steps[1]).toMatchObject({ ok: false, waiting: ['the service does not answer'] });
  });

  test('not while due timers have not run up to the standing clock', async () => {
    const { statuses, options } = installation();
    statuses['trigger'] = { ...statuses['trigger'], watermark: 999 };
    const report = await checkSettled({ ...options, clock: () => 1_000 }, soonMs);
    expect(report.settled).toBe(false);
    statuses['trigger'] = { ...statuses['trigger'], watermark: 1_000 };
    expect((await checkSettled({ ...options, clock: () => 1_000 }, soonMs)).settled).toBe(true);
  });

  test('watermarks that keep coming do not keep it from being settled: ends are taken once', async () => {
    const { ends, options } = installation();
    const growing: SettledOptions = {
      ...options,
      admin: {
        writtenOffsets: (topic) => {
          const end = ends[topic] ?? 0;
          if (topic === 'eventsMerged') ends[topic] = end + 1;
          return Promise.resolve([end]);
        },
      },
    };
    // Each later step takes a later end of events.merged than the rules' step did; all must reach theirs.
    const { statuses } = installation();
    const { inputs } = statuses['in-app'] ?? {};
    statuses['in-app'] = { ...statuses['in-app'], inputs: { ...inputs, eventsMerged: [21] } };
    statuses['sink'] = { inputs: { eventsMerged: [22], eventsCollected: [10] } };
    const report = await checkSettled(
      { ...growing, statuses: { ...growing.statuses, of: (name) => Promise.resolve(statuses[name]) } },
      soonMs,
    );
    expect(report.settled).toBe(true);
  });

  test('transfers that bring transfers are waited for', async () => {
    const { ends, statuses, options } = installation();
    let asked = 0;
    const forwarding: SettledOptions = {
      ...options,
      admin: {
        writtenOffsets: (topic) => {
          if (topic === 'triggerTransfers' && ++asked === 2) ends.triggerTransfers = 4;
          return Promise.resolve([ends[topic] ?? 0]);
        },
      },
    };
    const report = await checkSettled(forwarding, soonMs);
    expect(report.steps.at(-1)).toMatchObject({ ok: false, waiting: ['1 records of triggerTransfers'] });
    statuses['trigger'] = { ...statuses['trigger'], inputs: { eventsMerged: [20], triggerTransfers: [4] } };
    expect((await checkSettled(forwarding, soonMs)).settled).toBe(true);
  });
});
