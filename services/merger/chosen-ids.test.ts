/**
 * Ids that were chosen to have another lane's hash are lanes of their own, over the stores that the product opens; and what
 * comes out does not depend on the secret of these. The ids are those of an attack on the hash of before.
 */
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMBEDDED_PARTITIONS } from '../../schemas/topics.ts';
import { partitionOf } from '../../schemas/partitioner.ts';
import { twin, twinElsewhere, victim } from '../testing/chosen-ids.ts';
import { collectedEvent } from '../testing/collected-event.ts';
import type { IdentityRequest } from '../../schemas/records.ts';
import { given, type Given } from '../testing/processor-harness.ts';
import {
  answer,
  dropped,
  grant,
  identify,
  LaneScenario,
  merged,
  requests,
  SECOND,
  T,
  visit,
} from '../testing/scenarios/lanes-scenario.ts';
import { FolderDisks } from '../testing/stores/folder-disks.ts';
import { runs } from '../testing/runs.ts';

const TEST_MS_MAX = 300_000;
const disks = new FolderDisks();
afterAll(() => {
  disks.close();
});
const onFolders = (): LaneScenario => new LaneScenario({ freshDisk: disks.fresh });

/** The calls one after the other, each with identity's answers. */
function played(lanes: LaneScenario, ...calls: readonly Given[]): LaneScenario {
  for (const call of calls) {
    for (let out = lanes.batch(call); requests(out).length > 0;) out = lanes.batch(...grant(out));
  }
  return lanes;
}
const { workspace, anonymousId } = twinElsewhere;
const elsewhere = (...[id, name, at, fields]: Parameters<typeof visit>): Given => {
  const event = { workspace, anonymous_id: id, message_id: name, name, received_at: at, ...fields };
  return given('eventsCollected', `${workspace}:a:${id}`, collectedEvent(event));
};

describe('anonymous ids with what was one hash', () => {
  test('lie in one partition, so a shared hash would be a shared lane', () => {
    const keys = [`default:a:${victim}`, `default:a:${twin}`, `${workspace}:a:${anonymousId}`];
    expect(new Set(keys.map((key) => partitionOf(key, EMBEDDED_PARTITIONS))).size).toBe(1);
  });

  test('are two lanes: each is claimed by whoever claims it, and the merger goes on', () => {
    const lanes = played(
      onFolders(),
      visit(victim, 'ada looks', T - SECOND),
      visit(twin, 'mallory looks', T - SECOND),
      identify(victim, 'ada', T),
      identify(twin, 'mallory', T + SECOND),
      visit(victim, 'ada buys', T + 2 * SECOND),
      visit(twin, 'mallory buys', T + 2 * SECOND),
    );
    expect(merged(lanes.harness.outputs)).toEqual([
      'cio_ada: ada looks*',
      'cio_ada: identify ada',
      'cio_mallory: mallory looks*',
      'cio_mallory: identify mallory',
      'cio_ada: ada buys*',
      'cio_mallory: mallory buys*',
    ]);
  });

  test('of two workspaces: the visitor’s events stay nobody’s when the other workspace identifies its own', () => {
    const lanes = played(
      onFolders(),
      ...[1, 2, 3].map((each) => visit(victim, `look ${String(each)}`, T - SECOND)),
      elsewhere(anonymousId, 'identify', T, {
        type: 'identify',
        id: 'mallory',
        identifier_kind: 'id',
        identifier: 'mallory',
      }),
    );
    expect(merged(lanes.harness.outputs)).toEqual(['cio_mallory: identify']);
    played(lanes, identify(victim, 'ada', T + SECOND));
    expect(merged(lanes.harness.outputs).slice(1)).toEqual([
      'cio_ada: look 1*',
      'cio_ada: look 2*',
      'cio_ada: look 3*',
      'cio_ada: identify ada',
    ]);
  });

  test('do not make a repeat of another lane’s event with the same message id', () => {
    const lanes = played(
      onFolders(),
      visit(twin, 'same', T),
      elsewhere(anonymousId, 'same', T),
      visit(victim, 'same', T),
      visit(victim, 'same', T),
    );
    expect(dropped(lanes.harness.outputs)).toEqual(['duplicate_message: same']);
    played(lanes, identify(victim, 'ada', T + SECOND));
    expect(merged(lanes.harness.outputs)).toEqual(['cio_ada: same*', 'cio_ada: identify ada']);
  });
});

describe('the secret of a partition', () => {
  const lane = fc.constantFrom(victim, twin, 'x', 'y', 'z');
  const call = fc.record({
    lane,
    act: fc.constantFrom('visit', 'visit', 'visit', 'identify'),
    message: fc.nat(60),
    who: fc.constantFrom('ada', 'bob'),
  });
  const round = fc.record({
    calls: fc.array(call, { maxLength: 40 }),
    isAnswered: fc.boolean(),
    then: fc.constantFrom('go on', 'go on', 'go on', 'flush', 'crash', 'reopen'),
  });

  test(
    'another one, after the folder is lost, gives the same outputs: what is replayed is what was committed',
    () => {
      fc.assert(
        fc.property(fc.array(round, { minLength: 1, maxLength: 8 }), (rounds) => {
          const lanes = onFolders();
          const { harness } = lanes;
          const claimed = new Set<string | null>();
          let asked: IdentityRequest[] = [];
          for (const { calls, isAnswered, then } of rounds) {
            const fed = calls.map(({ lane: to, act, message, who }) =>
              act === 'visit'
                ? visit(to, `m${String(message)}`, T + message)
                : identify(to, who, T + message, { message_id: `i${String(message)}` }),
            );
            asked.push(...requests(lanes.batch(...fed)));
            if (isAnswered) asked = [...requests(lanes.batch(...answersTo(asked, claimed)))];
            if (then === 'flush') harness.flush();
            else if (then === 'crash') harness.crash();
            else if (then === 'reopen') harness.reopen();
          }
          expect(harness.replay()).toEqual(harness.outputs);
        }),
        { numRuns: runs(4), interruptAfterTimeLimit: TEST_MS_MAX / 2 },
      );
    },
    TEST_MS_MAX,
  );
});

/** As identity does: an anonymous id is granted to the first who claims it, and nobody else. */
function answersTo(asked: readonly IdentityRequest[], claimed: Set<string | null>): Given[] {
  return asked.map((request) => {
    const isFirst = request.kind === 'claim' && !claimed.has(request.lane);
    if (isFirst) claimed.add(request.lane);
    return answer(request, isFirst ? 'granted' : 'resolved');
  });
}
