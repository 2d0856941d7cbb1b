import { describe, expect, test } from '@jest/globals';
import type { PersonId } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import { decideLane, staysAnonymous, type Answer, type LaneEvent, type LaneInput } from './decide.ts';
import type { Effect } from './effects.ts';
import { graceMs, quietMs, waitingMs } from './limits.ts';
import type { People, PersonMark } from './people.ts';
import { Ways } from './ways.ts';
import { newLane, type LaneState } from './state.ts';

const SECOND = 1_000;
const T = 1_700_000_000_000;
const ada = 'cio_ada' as PersonId;
const bob = 'cio_bob' as PersonId;
const eve = 'cio_eve' as PersonId;
const id = (value: string): Identifier => ({ kind: 'id', value });
const email = (value: string): Identifier => ({ kind: 'email', value });

function visit(fields: Partial<LaneEvent> = {}): LaneEvent {
  const receivedAt = fields.receivedAt ?? T;
  return {
    receivedAt,
    timestamp: receivedAt,
    anonymous: true,
    identifier: null,
    fingerprint: null,
    behindMarker: false,
    ...fields,
  };
}
const track = (identifier: Identifier, receivedAt = T): LaneEvent => visit({ identifier, receivedAt });
const identify = (identifier: Identifier, receivedAt = T): LaneEvent =>
  visit({ identifier, receivedAt, fingerprint: `${identifier.kind}=${identifier.value}` });

const arrived = (event: LaneEvent): LaneInput => ({ type: 'arrived', event });
function answer(kind: Answer['kind'], fields: Partial<Answer>): Answer {
  const usual = { number: 1, personId: ada, claimedAt: null, reason: null, conflicts: [], at: 7, asOf: 5 };
  return { kind, ...usual, ...fields };
}
function answered(kind: Answer['kind'], event: LaneEvent, fields: Partial<Answer> = {}): LaneInput {
  const claimedAt = kind === 'granted' ? event.receivedAt : null;
  return { type: 'answered', answer: answer(kind, { claimedAt, ...fields }), event };
}

type Marks = Readonly<Record<string, PersonMark>>;
const nobodyChanged: Marks = {};
function peopleOf(marks: Marks): People {
  return (person) => new Ways().find('', (each) => marks[each], person);
}

/** Given what happened in the lane, when this happens, then … */
function given(
  inputs: readonly LaneInput[],
  marks: Marks = nobodyChanged,
  from: LaneState = newLane,
): LaneState {
  return inputs.reduce((lane, input) => decideLane(lane, input, peopleOf(marks)).lane, from);
}
function when(lane: LaneState, input: LaneInput, marks: Marks = nobodyChanged): readonly Effect[] {
  return decideLane(lane, input, peopleOf(marks)).effects;
}
/** What the effects do outside: facts about the lane left out. */
function outcomes(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => {
    if (effect.type === 'merged') {
      const after = (effect.mergedAt - T) / SECOND;
      return `merged as ${effect.personId} at +${String(after)}s${effect.previouslyAnonymous ? ', once anonymous' : ''}`;
    }
    if (effect.type === 'dropped') return `dropped: ${effect.reason}`;
    if (effect.type === 'asked') return `asked ${effect.request} ${String(effect.number)}`;
    if (effect.type === 'merge_logged') return `logged ${String(effect.count)} for ${effect.personId}`;
    return effect.type === 'kept' || effect.type === 'queued' || effect.type === 'left_anonymous'
      ? effect.type
      : [];
  });
}

/** The lane's anonymous id was claimed by ada, as id 42, at T; nothing waited. */
const claim = identify(id('42'));
const emptied: LaneState = endQueue(
  given([arrived(claim), answered('granted', claim), { type: 'all_released', event: claim }]),
);
/** What the shell does once a lane's queue has nothing left. */
function endQueue(lane: LaneState): LaneState {
  return { ...lane, work: { type: 'idle' }, queueCursor: 0, readyAt: -1 };
}
const claimed = emptied;

describe('a visitor whom nobody knows', () => {
  test('spec C.1 rows 1 and 2: an anonymous event waits and reaches nobody', () => {
    expect(outcomes(when(newLane, arrived(visit())))).toEqual(['kept']);
  });
  test('spec C.1 row 22: an event without anonymous id or identifier can never be merged', () => {
    expect(outcomes(when(newLane, arrived(visit({ anonymous: false }))))).toEqual(['left_anonymous']);
  });
  test('what is to wait for nobody does not, and says so; within five minutes of a claim it is the person’s as ever', () => {
    const bot = visit({ waits: false });
    expect(outcomes(when(newLane, arrived(bot)))).toEqual(['dropped: bot_not_awaited']);
    expect(outcomes(when(claimed, arrived(bot)))[0]).toBe('merged as cio_ada at +0s, once anonymous');
  });
  test('spec C.1 row 18: an identify that names nobody creates nobody', () => {
    const anonymous = visit({ fingerprint: 'nobody' });
    expect(outcomes(when(newLane, arrived(anonymous)))).toEqual(['dropped: identify_without_identifier']);
  });
});

describe('a claim', () => {
  test('spec C.1 row 4: an identify asks identity for the anonymous id, and waits at the head of its lane', () => {
    expect(outcomes(when(newLane, arrived(claim)))).toEqual(['queued', 'asked claim 1']);
  });
  test('spec C.1 row 5: a granted claim releases what waited, and the identify follows it', () => {
    const asking = given([arrived(claim)]);
    expect(when(asking, answered('granted', claim)).map(({ type }) => type)).toEqual([
      'learned',
      'decided',
      'linked',
      'release_began',
    ]);
    const releasing = given([answered('granted', claim)], {}, asking);
    const gone = { ...releasing, work: { ...releasing.work, cursor: 3, count: 2, oldest: T - 9 * SECOND } };
    expect(outcomes(when(gone as LaneState, { type: 'all_released', event: claim }))).toEqual([
      'logged 2 for cio_ada',
      'merged as cio_ada at +0s',
    ]);
  });
  test('spec C.1 row 14: no activity when nothing was merged', () => {
    const releasing = given([arrived(claim), answered('granted', claim)]);
    expect(outcomes(when(releasing, { type: 'all_released', event: claim }))).toEqual([
      'merged as cio_ada at +0s',
    ]);
  });
  test('spec C.1 rows 8 and 10: a claim of what is bound is an identify and nothing more', () => {
    const again = identify(id('43'));
    const asking = given([arrived(again)], {}, claimed);
    const taken = answered('resolved', again, { number: 2, personId: bob, reason: 'anonymous_id_taken' });
    expect(outcomes(when(asking, taken))).toEqual(['merged as cio_bob at +0s']);
    expect(given([taken], {}, asking).link).toEqual({ personId: ada, claimedAt: T, asOf: 5 });
  });
  test('spec C.1 row 10: an identify that reads as the last one decided is not asked again and reopens nothing', () => {
    const again = identify(id('42'), T + 600 * SECOND);
    expect(outcomes(when(claimed, arrived(again)))).toEqual(['merged as cio_ada at +600s']);
    expect(outcomes(when(claimed, arrived(visit({ receivedAt: T + 660 * SECOND }))))).toEqual([
      'left_anonymous',
    ]);
  });
  test('spec C.1 row 13: with merging switched off the identify counts, and the next one claims', () => {
    const asking = given([arrived(claim)]);
    const off = answered('resolved', claim, { reason: 'merge_switched_off' });
    expect(outcomes(when(asking, off))).toEqual(['merged as cio_ada at +0s']);
    const lane = endQueue(given([off], {}, asking));
    expect(outcomes(when(lane, arrived(visit())))).toEqual(['kept']);
    expect(outcomes(when(lane, arrived(claim)))).toEqual(['queued', 'asked claim 2']);
  });
  test('spec C.1 row 24: a refused identify is dropped with its reason, and what waits goes on waiting', () => {
    const asking = given([arrived(claim)]);
    const refused = answered('refused', claim, { personId: null, reason: 'identifier_suppressed' });
    expect(outcomes(when(asking, refused))).toEqual(['dropped: identifier_suppressed']);
    const lane = endQueue(given([refused], {}, asking));
    expect(outcomes(when(lane, arrived(visit())))).toEqual(['kept']);
    expect(outcomes(when(lane, arrived(claim)))).toEqual(['queued', 'asked claim 2']);
  });
  test('spec C.3: an identify whose identifiers conflict is asked about every time', () => {
    const asking = given([arrived(claim)]);
    const conflicting = answered('granted', claim, { conflicts: ['email'] });
    const lane = endQueue(given([conflicting, { type: 'all_released', event: claim }], {}, asking));
    expect(outcomes(when(lane, arrived(claim)))).toEqual(['queued', 'asked claim 2']);
    expect(outcomes(when(lane, arrived(track(id('42')))))).toEqual(['merged as cio_ada at +0s']);
  });
  test('an identifier of the call that stayed somebody else’s is not taken for this person’s', () => {
    const asking = given([arrived(claim)]);
    const lane = endQueue(given([answered('resolved', claim, { conflicts: ['id'] })], {}, asking));
    expect(outcomes(when(lane, arrived(track(id('42')))))).toEqual(['queued', 'asked resolve 2']);
  });
});

describe('after a claim at T', () => {
  const at = (receivedAt: number): readonly string[] =>
    outcomes(when(claimed, arrived(visit({ receivedAt }))));
  test('spec C.1 rows 5 and 6: four minutes and 59 seconds later an event merges, with a record of its own', () => {
    expect(at(T + 299 * SECOND)).toEqual([
      'merged as cio_ada at +299s, once anonymous',
      'logged 1 for cio_ada',
    ]);
  });
  test('spec C.1 row 5: exactly five minutes later counts as within', () => {
    expect(at(T + graceMs)[0]).toBe('merged as cio_ada at +300s, once anonymous');
  });
  test('spec C.1 row 7: a second or a millisecond more stays anonymous', () => {
    expect(at(T + graceMs + 1)).toEqual(['left_anonymous']);
    expect(at(T + 301 * SECOND)).toEqual(['left_anonymous']);
  });
  test('an event received before the claim that arrives after it merges as of the claim', () => {
    expect(at(T - 3 * SECOND)[0]).toBe('merged as cio_ada at +0s, once anonymous');
  });
  test('spec C.2: a late event of exactly 30 days before merges, one of a second more does not', () => {
    expect(at(T - waitingMs)[0]).toBe('merged as cio_ada at +0s, once anonymous');
    expect(at(T - waitingMs + SECOND)[0]).toBe('merged as cio_ada at +0s, once anonymous');
    expect(at(T - waitingMs - SECOND)).toEqual(['left_anonymous']);
  });
  test('spec C.1 rows 6 and 28: the event’s own timestamp plays no part in it', () => {
    const future = visit({ receivedAt: T + 10 * SECOND, timestamp: T + 400 * 86_400 * SECOND });
    expect(outcomes(when(claimed, arrived(future)))[0]).toBe('merged as cio_ada at +10s, once anonymous');
  });
  test('spec C.1 row 25: when the person is deleted, later events stay anonymous', () => {
    const marks = { [ada]: { gone: true } };
    expect(outcomes(when(claimed, arrived(visit({ receivedAt: T + SECOND })), marks))).toEqual([
      'left_anonymous',
    ]);
  });
});

describe('an event that names an identifier', () => {
  test('spec C.1 row 17: it asks whose it is, once, and claims nothing', () => {
    const event = track(id('42'));
    expect(outcomes(when(newLane, arrived(event)))).toEqual(['queued', 'asked resolve 1']);
    const lane = endQueue(given([arrived(event), answered('resolved', event)]));
    expect(outcomes(when(lane, arrived(event)))).toEqual(['merged as cio_ada at +0s']);
    expect(outcomes(when(lane, arrived(visit())))).toEqual(['kept']);
  });
  test('spec C.1 row 27: it belongs to whom it names, whatever the lane is linked to', () => {
    const second = identify(id('43'));
    const taken = answered('resolved', second, { number: 2, personId: bob, reason: 'anonymous_id_taken' });
    const lane = endQueue(given([arrived(second), taken], {}, claimed));
    expect(outcomes(when(lane, arrived(track(id('43'), T + SECOND))))).toEqual(['merged as cio_bob at +1s']);
    expect(outcomes(when(lane, arrived(track(id('42'), T + SECOND))))).toEqual(['merged as cio_ada at +1s']);
    expect(outcomes(when(lane, arrived(visit({ receivedAt: T + SECOND }))))[0]).toBe(
      'merged as cio_ada at +1s, once anonymous',
    );
  });
  test('spec C.3: an email is one identifier in any case', () => {
    const event = track(email('Ada@X.org'));
    const lane = endQueue(given([arrived(event), answered('resolved', event)]));
    expect(outcomes(when(lane, arrived(track(email('ada@x.ORG')))))).toEqual(['merged as cio_ada at +0s']);
  });
  test('a refused one is dropped with its reason', () => {
    const event = track({ kind: 'cio_id', value: 'cio_nobody' });
    const refused = answered('refused', event, { personId: null, reason: 'unknown_cio_id' });
    expect(outcomes(when(given([arrived(event)]), refused))).toEqual(['dropped: unknown_cio_id']);
  });
  test('of a person who was deleted, it asks again', () => {
    const marks = { [ada]: { gone: true } };
    expect(outcomes(when(claimed, arrived(track(id('42'))), marks))).toEqual(['queued', 'asked resolve 2']);
    expect(outcomes(when(claimed, arrived(claim), marks))).toEqual(['queued', 'asked claim 2']);
  });
  test('a lane remembers 16 identifiers, the newest', () => {
    let lane = newLane;
    for (let i = 1; i <= 17; i += 1) {
      const event = track(id(String(i)));
      lane = endQueue(given([arrived(event), answered('resolved', event, { number: i })], {}, lane));
    }
    expect(lane.known).toHaveLength(16);
    expect(outcomes(when(lane, arrived(track(id('1')))))).toEqual(['queued', 'asked resolve 18']);
    expect(outcomes(when(lane, arrived(track(id('2')))))).toEqual(['merged as cio_ada at +0s']);
  });
});

describe('order within a lane', () => {
  test('while the lane asks or releases, everything queues', () => {
    const asking = given([arrived(claim)]);
    const releasing = given([answered('granted', claim)], {}, asking);
    const draining = given([{ type: 'all_released', event: claim }], {}, releasing);
    for (const lane of [asking, releasing, draining]) {
      for (const event of [visit(), track(id('42')), claim]) {
        expect(outcomes(when(lane, arrived(event)))).toEqual(['queued']);
      }
    }
  });
  test('a queued event that must ask stops the queue', () => {
    const draining = given([arrived(claim), answered('resolved', claim)]);
    const asking = given([{ type: 'turn', event: track(id('43')) }], {}, draining);
    expect(asking.work).toEqual({ type: 'asking', request: 'resolve', number: 2 });
    expect(asking.queueCursor).toBe(1);
    expect(() => when(asking, { type: 'turn', event: visit() })).toThrow('gives its queue no turns');
  });
  test('an answer to another request is a broken promise', () => {
    expect(() => when(given([arrived(claim)]), answered('granted', claim, { number: 2 }))).toThrow(
      'what the event in hand asked',
    );
    expect(() => when(newLane, answered('granted', claim))).toThrow('idle');
  });
});

describe('behind a control call that is not decided', () => {
  const behind = (event: LaneEvent): LaneEvent => ({ ...event, behindMarker: true });
  const late = behind(visit({ receivedAt: T + graceMs + 1 }));

  test('what names somebody asks as if the lane remembered nothing', () => {
    expect(outcomes(when(claimed, arrived(behind(claim))))).toEqual(['queued', 'asked claim 2']);
    expect(outcomes(when(claimed, arrived(behind(track(id('42'))))))).toEqual(['queued', 'asked resolve 2']);
  });

  test('what names nobody asks for a barrier, if the lane is linked and it is not too late', () => {
    expect(outcomes(when(claimed, arrived(behind(visit()))))).toEqual(['queued', 'asked barrier 2']);
    expect(outcomes(when(newLane, arrived(behind(visit()))))).toEqual(['kept']);
    expect(outcomes(when(claimed, arrived(late)))).toEqual(['left_anonymous']);
  });

  const busy = given([arrived(behind(claim))], {}, claimed);
  const ahead = (event: LaneEvent, lane = busy) =>
    when(lane, { type: 'arrived', event, allAsked: true }).map((effect) =>
      effect.type === 'queued' ? effect.ahead : effect.type,
    );

  test('what queues asks ahead of its turn; what no control call can change does not', () => {
    expect(ahead(behind(claim))).toEqual([{ request: 'claim', number: 3 }]);
    expect(ahead(behind(track(id('43'))))).toEqual([{ request: 'resolve', number: 3 }]);
    expect(ahead(behind(visit()))).toEqual([{ request: 'barrier', number: 3 }]);
    expect(ahead(behind(visit()), given([arrived(claim)]))).toEqual([null]);
    for (const event of [track(id('43')), late, behind(visit({ fingerprint: 'nobody' }))]) {
      expect(ahead(event)).toEqual([null]);
    }
    const unasked = when(busy, { type: 'arrived', event: behind(claim), allAsked: false });
    expect(unasked).toEqual([{ type: 'queued', ahead: null }]);
  });

  test('an answer that came ahead is taken at the turn, one that has not come is awaited', () => {
    const event = behind(track(id('43')));
    const draining = given([arrived(event), answered('resolved', claim, { number: 2 })], {}, busy);
    const theirs = answer('resolved', { number: 3, personId: bob });
    const turn = (there: Answer | undefined): LaneInput => ({
      type: 'turn',
      event,
      ahead: { number: 3, answer: there },
    });
    expect(outcomes(when(draining, turn(theirs)))).toEqual(['merged as cio_bob at +0s']);
    const waiting = given([turn(undefined)], {}, draining);
    expect(waiting.work).toEqual({ type: 'asking', request: 'resolve', number: 3 });
    expect(outcomes(when(waiting, { type: 'answered', answer: theirs, event }))).toEqual([
      'merged as cio_bob at +0s',
    ]);
  });
});

describe('people who were merged (spec C.3)', () => {
  const absorbed: Marks = { [ada]: { into: bob, intoAt: T } };
  test('the lane goes on by way of the absorbed person until it was quiet for ten minutes', () => {
    let lane = claimed;
    const step = (receivedAt: number): readonly string[] => {
      const input = arrived(track(id('42'), receivedAt));
      const effects = when(lane, input, absorbed);
      lane = given([input], absorbed, lane);
      return outcomes(effects);
    };
    expect(step(T + 60 * SECOND)).toEqual(['merged as cio_ada at +60s']);
    expect(step(T + 60 * SECOND + quietMs)).toEqual(['merged as cio_ada at +660s']);
    expect(step(T + 61 * SECOND + 2 * quietMs)).toEqual(['merged as cio_bob at +1261s']);
    expect(step(T + 62 * SECOND + 2 * quietMs)).toEqual(['merged as cio_bob at +1262s']);
  });
  test('a lane that was quiet anyway takes up the survivor at once', () => {
    const event = track(id('42'), T + quietMs + 1);
    expect(outcomes(when(claimed, arrived(event), absorbed))).toEqual(['merged as cio_bob at +600.001s']);
  });
  test('what the lane learns is the survivor’s goes the same way, so that nothing overtakes', () => {
    const event = track(id('77'), T + SECOND);
    const asking = given([arrived(event)], absorbed, claimed);
    const answer = answered('resolved', event, { number: 2, personId: bob });
    expect(outcomes(when(asking, answer, absorbed))).toEqual(['merged as cio_ada at +1s']);
  });
  test('chains are followed to their end', () => {
    const chain: Marks = { ...absorbed, [bob]: { into: eve, intoAt: T + 5 * SECOND } };
    const event = track(id('42'), T + 6 * SECOND + quietMs);
    expect(outcomes(when(claimed, arrived(event), chain))).toEqual(['merged as cio_eve at +606s']);
  });
  test('an identifier that the merge left to nobody is asked about; others are the survivor’s', () => {
    const second = track(email('ada@x.org'));
    const answer = answered('resolved', second, { number: 2 });
    const lane = endQueue(given([arrived(second), answer], {}, claimed));
    const freed: Marks = { [ada]: { into: bob, intoAt: T - quietMs, freed: [id('42')] } };
    const later = T + SECOND;
    expect(outcomes(when(lane, arrived(track(id('42'), later)), freed))).toEqual([
      'queued',
      'asked resolve 3',
    ]);
    expect(outcomes(when(lane, arrived(track(email('ada@x.org'), later)), freed))).toEqual([
      'merged as cio_bob at +1s',
    ]);
  });
  test('what had gone stale before the merge is asked about, though the link is the survivor’s', () => {
    const absorbedLater: Marks = { [ada]: { into: bob, intoAt: T - quietMs, freed: [], staleBelow: 8 } };
    const lane = given([arrived(visit({ receivedAt: T + SECOND }))], absorbedLater, claimed);
    expect(lane.link?.personId).toBe(bob);
    expect(outcomes(when(lane, arrived(track(id('42'))), absorbedLater))).toEqual([
      'queued',
      'asked resolve 2',
    ]);
  });
  test('the cio_id of the absorbed is asked about: it names nobody any more', () => {
    const cioId = track({ kind: 'cio_id', value: ada });
    const lane = endQueue(given([arrived(cioId), answered('resolved', cioId, { number: 2 })], {}, claimed));
    expect(outcomes(when(lane, arrived(cioId)))).toEqual(['merged as cio_ada at +0s']);
    expect(outcomes(when(lane, arrived(cioId), absorbed))).toEqual(['queued', 'asked resolve 3']);
  });
  test('the next identify is asked about again', () => {
    expect(outcomes(when(claimed, arrived(claim), absorbed))).toEqual(['queued', 'asked claim 2']);
  });
});

describe('a split', () => {
  test('gives the lane to the other person', () => {
    const lane = given([{ type: 'split', from: ada, to: bob, asOf: 9 }], {}, claimed);
    expect(outcomes(when(lane, arrived(visit({ receivedAt: T + SECOND }))))[0]).toBe(
      'merged as cio_bob at +1s, once anonymous',
    );
  });
  test('is what the lane’s events are marked with from then on', () => {
    const marks = (lane: LaneState): readonly number[] =>
      when(lane, arrived(visit({ receivedAt: T + SECOND }))).flatMap((effect) =>
        effect.type === 'merged' ? [effect.asOf] : [],
      );
    expect(marks(claimed)).toEqual([5]);
    expect(marks(given([{ type: 'split', from: ada, to: bob, asOf: 9 }], {}, claimed))).toEqual([9]);
  });
  test('of a lane that is another person’s changes nothing', () => {
    expect(when(claimed, { type: 'split', from: bob, to: eve, asOf: 9 })).toEqual([]);
    expect(when(newLane, { type: 'split', from: ada, to: bob, asOf: 9 })).toEqual([]);
  });
  test('makes lanes ask again for what they learned before it', () => {
    const split = { [ada]: { staleBelow: 8 } };
    expect(outcomes(when(claimed, arrived(track(id('42'))), split))).toEqual(['queued', 'asked resolve 2']);
    expect(outcomes(when(claimed, arrived(track(id('42'))), { [ada]: { staleBelow: 7 } }))).toEqual([
      'merged as cio_ada at +0s',
    ]);
  });
});

describe('the short way for events that stay anonymous', () => {
  const claimed: LaneState = { ...newLane, link: { personId: ada, claimedAt: T, asOf: 5 } };
  test.each([
    ['exactly the window after the claim', T + graceMs],
    ['a millisecond after the window', T + graceMs + 1],
    ['exactly 30 days before', T - waitingMs],
    ['a millisecond earlier than that', T - waitingMs - 1],
    ['at the claim', T],
  ])('is taken if and only if the decider comes to nothing: %s', (_, receivedAt) => {
    const { lane, effects } = decideLane(claimed, arrived(visit({ receivedAt })), peopleOf(nobodyChanged));
    const nothing = lane === claimed && effects.every(({ type }) => type === 'left_anonymous');
    expect(staysAnonymous(claimed, receivedAt)).toBe(nothing);
  });
  test('is not taken by a lane that nobody claimed, nor by a busy one', () => {
    expect(staysAnonymous(newLane, T)).toBe(false);
    const busy: LaneState = { ...claimed, work: { type: 'asking', request: 'resolve', number: 1 } };
    expect(staysAnonymous(busy, T + graceMs + 1)).toBe(false);
  });
});
