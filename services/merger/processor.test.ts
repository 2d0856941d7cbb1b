import { describe, expect, test } from '@jest/globals';
import { Codec, localCodecs, schemaText, UnknownSchemaError } from '../../schemas/codec.ts';
import { Definitions } from '../runtime/definitions.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import { given, of, ProcessorHarness, type Given, type Output } from '../testing/processor-harness.ts';
import { graceMs, waitingMs } from './decide/limits.ts';
import { lanesService } from './service.ts';
import {
  answer,
  DAY,
  dropped,
  grant,
  identify,
  LaneScenario,
  merged,
  news,
  requests,
  SECOND,
  T,
  track,
  visit,
} from '../testing/scenarios/lanes-scenario.ts';

/** Everything in one batch, then the answers, batch by batch: what was merged. */
function story(...records: readonly Given[]): readonly string[] {
  const lanes = new LaneScenario();
  for (let out = lanes.batch(...records); requests(out).length > 0;) out = lanes.batch(...grant(out));
  return merged(lanes.harness.outputs);
}

describe('a visitor’s past', () => {
  test('spec C.1 row 16: is released by (timestamp, arrival), then the identify, then what follows', () => {
    const lanes = new LaneScenario();
    lanes.batch(
      visit('x', 'third', T, { timestamp: T - 5 }),
      visit('x', 'first', T + 1, { timestamp: T - 9 }),
      visit('x', 'fourth', T + 2, { timestamp: T - 5 }),
      visit('x', 'second', T + 3, { timestamp: T - 7 }),
    );
    const asked = lanes.batch(
      identify('x', '42', T + 10),
      visit('x', 'fifth', T + 11, { timestamp: T - 99 }),
    );
    expect(merged(asked)).toEqual([]);
    expect(merged(lanes.batch(...grant(asked)))).toEqual([
      'cio_42: first*',
      'cio_42: second*',
      'cio_42: third*',
      'cio_42: fourth*',
      'cio_42: identify 42',
      'cio_42: fifth*',
    ]);
  });

  test('spec C.1 row 15: keeps its timestamps; all of it merged at the claim', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(
      visit('x', 'one', T - DAY),
      visit('x', 'two', T - SECOND),
      identify('x', '42', T),
    );
    const values = of('eventsMerged', lanes.batch(...grant(asked))).map(({ value }) => value);
    expect(values.map(({ merged_at: at }) => at)).toEqual([T, T, T]);
    expect(values.map(({ event }) => event?.timestamp)).toEqual([T - DAY, T - SECOND, T]);
  });

  test('spec C.1 row 14: is counted in one activity, later events one by one', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(
      visit('x', 'a', T - DAY, { timestamp: T - DAY - 1 }),
      visit('x', 'b', T),
      identify('x', '42', T),
    );
    const out = [...lanes.batch(...grant(asked)), ...lanes.batch(visit('x', 'c', T + 2 * SECOND))];
    const activities = of('activitiesLogged', out).map(({ key, value }) => [key, value]);
    const common = {
      workspace: 'default',
      kind: 'Anonymous Data Merged',
      person_id: 'cio_42',
      anonymous_id: 'x',
    };
    const later = T + 2 * SECOND;
    expect(activities).toEqual([
      [
        'default:cio_42',
        {
          ...common,
          timestamp: T,
          processed_at: T,
          message_id: 'identify 42',
          detail: JSON.stringify({ count: 2, oldest: Math.floor((T - DAY - 1) / 1000), anonymous_id: 'x' }),
        },
      ],
      [
        'default:cio_42',
        {
          ...common,
          timestamp: later,
          processed_at: later,
          message_id: 'c',
          detail: JSON.stringify({ count: 1, oldest: later / 1000, anonymous_id: 'x' }),
        },
      ],
    ]);
  });

  test('spec C.1 row 3, C.2: exactly 30 days and a second less merge, a second more does not', () => {
    expect(
      story(
        visit('x', 'too old', T - waitingMs - SECOND),
        visit('x', 'just', T - waitingMs),
        visit('x', 'young', T - waitingMs + SECOND),
        identify('x', '42', T),
      ),
    ).toEqual(['cio_42: just*', 'cio_42: young*', 'cio_42: identify 42']);
  });

  test('an event that arrived before the claim but was received six minutes after it stays anonymous', () => {
    const ahead = [visit('x', 'within', T + graceMs), visit('x', 'ahead', T + graceMs + SECOND)];
    expect(story(...ahead, identify('x', '42', T))).toEqual(['cio_42: within*', 'cio_42: identify 42']);
  });

  test('C.2: identify before any event, an event two minutes later merges; five minutes and a second does not', () => {
    const lanes = new LaneScenario();
    lanes.batch(...grant(lanes.batch(identify('x', '42', T))));
    const out = lanes.batch(
      visit('x', 'two minutes', T + 120 * SECOND),
      visit('x', '4:59', T + 299 * SECOND),
      visit('x', '5:00', T + 300 * SECOND),
      visit('x', '5:01', T + 301 * SECOND),
    );
    expect(merged(out)).toEqual(['cio_42: two minutes*', 'cio_42: 4:59*', 'cio_42: 5:00*']);
  });

  test('C.2: identify and events in one batch, in any order of arrival, merge alike', () => {
    const events = [visit('x', 'a', T - 2), visit('x', 'b', T - 1)];
    const claim = identify('x', '42', T);
    const want = ['cio_42: a*', 'cio_42: b*', 'cio_42: identify 42'];
    const [a, b] = events;
    if (a === undefined || b === undefined) throw new Error('two events');
    expect(story(a, b, claim)).toEqual(want);
    expect(story(a, claim, b)).toEqual(['cio_42: a*', 'cio_42: identify 42', 'cio_42: b*']);
    expect(story(claim, a, b)).toEqual(['cio_42: identify 42', 'cio_42: a*', 'cio_42: b*']);
  });

  test('spec E row 102, C.2: two devices of one person both merge', () => {
    const out = story(
      visit('web', 'on the web', T),
      visit('app', 'in the app', T),
      identify('web', '42', T + 1),
      identify('app', '42', T + 2),
    );
    expect(out).toEqual([
      'cio_42: on the web*',
      'cio_42: identify 42',
      'cio_42: in the app*',
      'cio_42: identify 42',
    ]);
  });

  test('spec C.1 row 26: after a logout a new anonymous id is a new visitor', () => {
    const lanes = new LaneScenario();
    lanes.batch(...grant(lanes.batch(identify('x', '42', T))));
    expect(merged(lanes.batch(visit('y', 'elsewhere', T + SECOND)))).toEqual([]);
  });

  test('spec C.1 row 19: an identify by email trait claims', () => {
    const lanes = new LaneScenario();
    const call = { identifier_kind: 'email', identifier: 'Ada@x.org', email: 'Ada@x.org', id: null } as const;
    const asked = lanes.batch(visit('x', 'a', T), visit('x', 'i', T + 1, { ...call, type: 'identify' }));
    expect(requests(asked)).toMatchObject([
      {
        kind: 'claim',
        anonymous_id: 'x',
        identifier_kind: 'email',
        identifier: 'Ada@x.org',
        email: 'Ada@x.org',
      },
    ]);
    expect(merged(lanes.batch(...grant(asked)))).toEqual(['cio_Ada@x.org: a*', 'cio_Ada@x.org: i']);
  });

  test('C.2: an anonymous id of 150 bytes of unicode is one visitor', () => {
    const long = '🛒é'.repeat(25);
    expect(Buffer.byteLength(long)).toBe(150);
    expect(story(visit(long, 'a', T), identify(long, '42', T + 1))).toEqual([
      'cio_42: a*',
      'cio_42: identify 42',
    ]);
  });

  test('spec C.1 row 28: timestamps in the far future or past are kept and stop nothing', () => {
    const out = story(
      visit('x', 'year 50000', T, { timestamp: 1_700_000_000_000_000 }),
      visit('x', 'before 1970', T + 1, { timestamp: -5_000 }),
      visit('x', 'now', T + 2),
      identify('x', '42', T + 3),
    );
    expect(out).toEqual([
      'cio_42: before 1970*',
      'cio_42: now*',
      'cio_42: year 50000*',
      'cio_42: identify 42',
    ]);
  });
});

describe('events that name somebody', () => {
  test('spec C.1 row 27: X linked to 42, identify 43 with X, then a track of 43 inside five minutes is 43’s', () => {
    const lanes = new LaneScenario();
    lanes.batch(...grant(lanes.batch(visit('x', 'a', T - 1), identify('x', '42', T))));
    const asked = lanes.batch(
      identify('x', '43', T + 10 * SECOND),
      track('x', '43', 'of 43', T + 11 * SECOND),
      visit('x', 'of nobody named', T + 12 * SECOND),
      track('x', '42', 'of 42', T + 13 * SECOND),
    );
    const taken = requests(asked).map((request) =>
      answer(request, 'resolved', { reason: 'anonymous_id_taken' }),
    );
    expect(merged(lanes.batch(...taken))).toEqual([
      'cio_43: identify 43',
      'cio_43: of 43',
      'cio_42: of nobody named*',
      'cio_42: of 42',
    ]);
  });

  test('each that the lane does not know asks, and the rest waits its turn', () => {
    const lanes = new LaneScenario();
    const first = lanes.batch(
      track('x', '1', 'a', T),
      track('x', '2', 'b', T + 1),
      track('x', '1', 'c', T + 2),
    );
    expect(requests(first)).toMatchObject([{ kind: 'resolve', identifier: '1', source_offset: 0 }]);
    const second = lanes.batch(...grant(first));
    expect(merged(second)).toEqual(['cio_1: a']);
    expect(requests(second)).toMatchObject([{ kind: 'resolve', identifier: '2', source_offset: 1 }]);
    expect(lanes.harness.processor.pendingSince()).toEqual({ offset: 1, receivedAt: T + 1 });
    expect(merged(lanes.batch(...grant(second)))).toEqual(['cio_2: b', 'cio_1: c']);
    expect(lanes.harness.processor.pendingSince()).toBeUndefined();
  });

  test('a lane that asks holds the watermark at the lowest receive time behind it', () => {
    const lanes = new LaneScenario();
    lanes.batch(visit('y', 'before', T), track('x', '1', 'a', T + 5), visit('x', 'late', T - 7));
    expect(lanes.harness.processor.pendingSince()).toEqual({ offset: 1, receivedAt: T - 7 });
    lanes.harness.reopen();
    expect(lanes.harness.processor.pendingSince()).toEqual({ offset: 1, receivedAt: T - 7 });
    expect(lanes.harness.processor.status().unsettled).toBe(1);
  });

  test('spec C.1 row 24: refused ones are dropped with a row; what was anonymous goes on waiting', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(visit('x', 'a', T), identify('x', '42', T + 1), visit('x', 'b', T + 2));
    const refusals = requests(asked).map((r) => answer(r, 'refused', { reason: 'identifier_suppressed' }));
    const out = lanes.batch(...refusals);
    expect(dropped(out)).toEqual(['identifier_suppressed: identify 42']);
    expect(JSON.parse(of('eventsDropped', out)[0]?.value.detail ?? '')).toEqual({
      lane: 'default:a:x',
      partition: 0,
      offset: 1,
      id: '42',
    });
    expect(merged(lanes.batch(...grant(lanes.batch(identify('x', '7', T + 3)))))).toEqual([
      'cio_7: a*',
      'cio_7: b*',
      'cio_7: identify 7',
    ]);
  });

  test('answers that nobody waits for change nothing', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(track('x', '1', 'a', T));
    const [right] = grant(asked);
    const [request] = requests(asked);
    if (right === undefined || request === undefined) throw new Error('one request');
    const wrong = answer(request, 'resolved', { request_number: 2 });
    const other = answer(request, 'resolved', { lane: 'default:a:never' });
    expect(merged(lanes.batch(wrong, other, right, right))).toEqual(['cio_1: a']);
    expect(lanes.harness.processor.status()['stray_answers']).toBe(3);
  });
});

describe('news of people', () => {
  const claimed = (): LaneScenario => {
    const lanes = new LaneScenario();
    lanes.batch(...grant(lanes.batch(identify('x', '42', T))));
    return lanes;
  };
  const decision = (kind: Parameters<typeof news>[0], fields: Parameters<typeof news>[1]): Given =>
    given('identityDecisions', '', news(kind, fields));

  test('spec C.1 row 25: a deleted person’s anonymous id stays burned; who is named is asked about again', () => {
    const lanes = claimed();
    const out = lanes.batch(
      decision('deleted', { person_id: 'cio_42' }),
      visit('x', 'nobody’s', T + SECOND),
      track('x', '42', 'somebody new', T + 2 * SECOND),
    );
    expect(merged(out)).toEqual([]);
    expect(requests(out)).toMatchObject([{ kind: 'resolve', identifier: '42', request_number: 2 }]);
  });

  test('spec C.3: after a merge the lane’s events reach the survivor, by way of the absorbed until it is quiet', () => {
    const lanes = claimed();
    lanes.batch(decision('absorbed', { person_id: 'cio_42', other_person_id: 'cio_a' }));
    expect(merged(lanes.batch(visit('x', 'soon', T + SECOND)))).toEqual(['cio_42: soon*']);
    lanes.harness.reopen();
    const later = T + 700 * SECOND;
    expect(merged(lanes.batch(track('x', '42', 'later', later), track('x', '42', 'on', later + 1)))).toEqual([
      'cio_a: later',
      'cio_a: on',
    ]);
  });

  test('a split moves the named lanes and makes identifiers be asked about', () => {
    const lanes = claimed();
    lanes.batch(...grant(lanes.batch(identify('y', '42', T + 1))));
    const out = lanes.batch(
      decision('split', {
        person_id: 'cio_42',
        other_person_id: 'cio_other',
        fact_number: 9,
        detail: JSON.stringify({ anonymous_ids: ['x', 'unheard of'], identifiers: [] }),
      }),
      visit('x', 'moved', T + SECOND),
      visit('y', 'stayed', T + SECOND),
      track('y', '42', 'asked', T + 2 * SECOND),
    );
    expect(merged(out)).toEqual(['cio_other: moved*', 'cio_42: stayed*']);
    expect(requests(out)).toMatchObject([{ kind: 'resolve', identifier: '42' }]);
  });
});

describe('repeats of a message id', () => {
  test('C.2, A.0 row 11: the second copy is dropped with a row, whether the first waits, asks or has merged', () => {
    const lanes = new LaneScenario();
    const asked = lanes.batch(visit('x', 'a', T), visit('x', 'a', T + 1), identify('x', '42', T + 2));
    expect(dropped(asked)).toEqual(['duplicate_message: a']);
    lanes.harness.reopen();
    const out = [
      ...lanes.batch(identify('x', '42', T + 3)),
      ...lanes.batch(...grant(asked)),
      ...lanes.batch(visit('x', 'a', T + 4), identify('x', '42', T + 5)),
    ];
    expect(merged(out)).toEqual(['cio_42: a*', 'cio_42: identify 42']);
    expect(dropped(out)).toEqual([
      'duplicate_message: identify 42',
      'duplicate_message: a',
      'duplicate_message: identify 42',
    ]);
    expect(of('eventsDropped', out)[0]).toMatchObject({
      key: 'default:a:x',
      value: {
        stage: 'merger',
        anonymous_id: 'x',
        at: T + 3,
        detail: '{"lane":"default:a:x","partition":0,"offset":3,"id":"42"}',
      },
    });
  });

  test('one person’s message id never swallows another’s event, nor one lane’s another’s', () => {
    const lanes = new LaneScenario();
    const out = lanes.batch(
      track('x', '42', 'same', T),
      track('x', '43', 'same', T),
      visit('x', 'same', T),
      visit('y', 'same', T),
    );
    expect(dropped(out)).toEqual([]);
  });

  test('an email in another case is the same identifier', () => {
    const lanes = new LaneScenario();
    const by = (identifier: string): Given => visit('x', 'm', T, { identifier_kind: 'email', identifier });
    expect(dropped(lanes.batch(by('A@x.org'), by('a@X.org')))).toEqual(['duplicate_message: m']);
  });

  test('are forgotten after the window', () => {
    const lanes = new LaneScenario();
    lanes.batch(visit('x', 'a', T));
    expect(dropped(lanes.batch(visit('x', 'a', T + 3 * DAY)))).toEqual([]);
  });
});

describe('a lane of very many events', () => {
  const MANY = 12_000;
  function crowded(): LaneScenario {
    const lanes = new LaneScenario();
    const events = Array.from({ length: MANY }, (_, i) => visit('big', `e${String(i)}`, T - MANY + i));
    lanes.batch(...events, visit('small', 'of the small one', T - 1));
    return lanes;
  }

  test('goes out in batches of at most 5,000 events, in order, and later ones keep behind', () => {
    const lanes = crowded();
    const asked = lanes.batch(identify('big', '1', T));
    const batches: Output[][] = [lanes.batch(...grant(asked), visit('big', 'after', T + SECOND))];
    while (lanes.harness.processor.wantsBatch(lanes.time, new Definitions())) {
      lanes.harness.reopen();
      lanes.time += SECOND;
      batches.push(lanes.batch());
    }
    expect(batches.map((batch) => of('eventsMerged', batch).length)).toEqual([5_000, 5_000, 2_002]);
    const order = batches.flatMap((batch) => merged(batch));
    expect(order.slice(0, MANY)).toEqual(Array.from({ length: MANY }, (_, i) => `cio_1: e${String(i)}*`));
    expect(order.slice(MANY)).toEqual(['cio_1: identify 1', 'cio_1: after*']);
    const [activity] = of('activitiesLogged', batches.flat());
    expect(JSON.parse(activity?.value.detail ?? '')).toMatchObject({ count: MANY });
  });

  test('does not hold up its partition', () => {
    const lanes = crowded();
    const big = lanes.batch(identify('big', '1', T));
    lanes.batch(...grant(big));
    const small = lanes.batch(identify('small', '2', T + 1), visit('other', 'unheard', T + 2));
    const out = lanes.batch(...grant(small));
    expect(merged(out).filter((line) => line.startsWith('cio_2'))).toEqual([
      'cio_2: of the small one*',
      'cio_2: identify 2',
    ]);
    expect(of('eventsMerged', out).length).toBeLessThanOrEqual(5_002);
  });

  test('of large events goes out at most 4 MB a batch', () => {
    const lanes = new LaneScenario();
    const properties = JSON.stringify({ text: 'x'.repeat(90_000) });
    lanes.batch(...Array.from({ length: 100 }, (_, i) => visit('x', `e${String(i)}`, T + i, { properties })));
    const sizes = [lanes.batch(...grant(lanes.batch(identify('x', '1', T + 200))))];
    while (lanes.harness.processor.status()['lanes_ready'] !== 0) sizes.push(lanes.batch());
    for (const batch of sizes) {
      expect(of('eventsMerged', batch).reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(
        4_100_000,
      );
    }
    expect(sizes.flatMap((batch) => merged(batch))).toHaveLength(101);
  });

  test('that asks for every event drains one by one and ends empty', () => {
    const lanes = new LaneScenario();
    const people = Array.from({ length: 300 }, (_, i) => track('x', `p${String(i)}`, `e${String(i)}`, T + i));
    let out = lanes.batch(...people);
    const all: string[] = [];
    for (let round = 0; requests(out).length > 0 && round < 1_000; round += 1) {
      if (round % 50 === 0) lanes.harness.reopen();
      out = lanes.batch(
        ...grant(out),
        ...(round % 3 === 0 ? [visit('x', `v${String(round)}`, T + 500)] : []),
      );
      all.push(...merged(out));
    }
    expect(all).toEqual(Array.from({ length: 300 }, (_, i) => `cio_p${String(i)}: e${String(i)}`));
    expect(lanes.harness.processor.status().unsettled).toBe(0);
  });
});

describe('a replay', () => {
  test('gives the same bytes, also when the process starts again between batches', () => {
    const lanes = new LaneScenario();
    const visits = Array.from({ length: 900 }, (_, i) => visit(`v${String(i % 7)}`, `e${String(i)}`, T + i));
    lanes.batch(...visits);
    let out = lanes.batch(
      ...Array.from({ length: 7 }, (_, i) => identify(`v${String(i)}`, String(i), T + 1_000)),
    );
    for (let round = 0; round < 5; round += 1) {
      const more = [
        visit('v1', `r${String(round)}`, T + 1_100 + round),
        track('v2', `t${String(round)}`, `q${String(round)}`, T + 1_200),
      ];
      out = lanes.batch(...grant(out), ...more);
    }
    lanes.idle();
    const bytes = (outputs: readonly Output[]): string[] =>
      outputs.map((o) => `${o.topic} ${o.key} ${o.bytes.toString('base64')}`);
    expect(bytes(lanes.harness.replay())).toEqual(bytes(lanes.harness.outputs));
    expect(bytes(lanes.harness.replay({ reopenEachBatch: true }))).toEqual(bytes(lanes.harness.outputs));
  });
});

describe('values', () => {
  test('written with another version of the schema are written anew, so that the splice reads right', () => {
    const codecs = localCodecs();
    const old = new Codec('CollectedEvent', 900);
    const harness = new ProcessorHarness(lanesService, { partitions: 1, codecs });
    const bytes = old.encode(collectedEvent({ anonymous_id: 'x', message_id: 'old', received_at: T }));
    const feed = (): Output[] => harness.batch(T, { topic: 'eventsCollected', key: 'default:a:x', bytes });
    expect(feed).toThrow(UnknownSchemaError);
    codecs.CollectedEvent.learn(900, schemaText('CollectedEvent'));
    feed();
    const asked = harness.batch(T + 1, identify('x', '42', T + 1));
    expect(merged(harness.batch(T + 2, ...grant(asked)))).toEqual(['cio_42: old*', 'cio_42: identify 42']);
  });

  test('that cannot be read are refused before anything changes, for the task to put in dead.letters', () => {
    const harness = new ProcessorHarness(lanesService, { partitions: 1 });
    const bytes = Buffer.from('nonsense');
    expect(() => harness.batch(T, { topic: 'eventsCollected', key: 'default:a:x', bytes })).toThrow(
      'could not read',
    );
    expect(harness.processor.status()).toMatchObject({ message_ids: 0, lanes_indexed: 0 });
  });

  test('of watermarks say how far a partition has come', () => {
    const codecs = localCodecs();
    const marks =
      lanesService.watermarks?.encode(
        3,
        { time: T, offset: 17, behind: new Map([['slow', T - 1]]) },
        codecs,
      ) ?? [];
    const [request, behind, mergedMark] = marks;
    if (request === undefined || behind === undefined || mergedMark === undefined) throw new Error('three');
    expect(marks.map(({ topic }) => topic)).toEqual(['identityRequests', 'eventsMerged', 'eventsMerged']);
    expect(codecs.IdentityRequest.decode(Buffer.from(request.value))).toMatchObject({
      kind: 'watermark',
      received_at: T,
      source_partition: 3,
      source_offset: 17,
    });
    expect(codecs.MergedEvent.decode(Buffer.from(behind.value))).toMatchObject({
      kind: 'watermark',
      workspace: 'slow',
      merged_at: T - 1,
      source_partition: 3,
    });
    expect(codecs.MergedEvent.decode(Buffer.from(mergedMark.value))).toMatchObject({
      kind: 'watermark',
      workspace: '',
      merged_at: T,
      source_partition: 3,
    });
  });
});
