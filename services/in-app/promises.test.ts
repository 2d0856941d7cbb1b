/** What holds whatever the order of polls, shows, reports, tabs, retries and crashes. A failure prints its seed. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { MessageEvent } from '../../schemas/records.ts';
import { runs } from '../testing/runs.ts';
import {
  claimed,
  DAY,
  did,
  InAppRig,
  laneOf,
  MINUTE,
  SHOP,
  T0,
  viewed,
  WORKSPACE,
} from '../testing/scenarios/in-app-rig.ts';

const VISITORS = ['ann', 'bob'];
const SESSION_MS = 30 * MINUTE;

const caps = fc.record(
  {
    session: fc.integer({ min: 1, max: 3 }),
    day: fc.integer({ min: 1, max: 3 }),
    gap: fc.constantFrom('PT5M', 'PT1H'),
    group: fc.constantFrom('offers', 'help'),
  },
  { requiredKeys: [] },
);
const frequency = fc.oneof(
  // Twice: what ends early tries no cap.
  fc.constantFrom({ mode: 'always' }, { mode: 'until_interacted' }, { mode: 'once' }, { mode: 'always' }),
  fc.record({ times: fc.integer({ min: 1, max: 3 }), gap: fc.constantFrom('PT2M', 'PT2H') }),
);
const definition = fc.record({
  frequency,
  caps,
  holdout: fc.constantFrom(0, 0, 0.5),
  priority: fc.nat({ max: 3 }),
});

const who = fc.constantFrom(...VISITORS);
const message = fc.constantFrom('one', 'two');
const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('page' as const), who }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('poll' as const), who }) },
  {
    weight: 12,
    arbitrary: fc.record({ type: fc.constant('show' as const), who, message, exposure: fc.nat({ max: 25 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('report' as const),
      who,
      message,
      exposure: fc.nat({ max: 25 }),
      event: fc.constantFrom(
        'clicked',
        'clicked',
        'dismissed',
        'snoozed',
        'submitted',
        'not_shown',
        'not_shown',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('order' as const), who }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('identify' as const), who: fc.constant('bob') }) },
  { weight: 2, arbitrary: fc.constantFrom({ type: 'crash' as const }, { type: 'flush' as const }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.constantFrom(1_000, MINUTE, 10 * MINUTE, 40 * MINUTE, DAY),
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

interface Run {
  readonly rig: InAppRig;
  at: number;
  /** Answers by exposure, the first. */
  readonly answers: Map<string, boolean>;
  readonly takenBack: Set<string>;
  readonly pages: { readonly who: string; readonly at: number }[];
}

async function play(run: Run, step: Action): Promise<void> {
  const { rig, at } = run;
  switch (step.type) {
    case 'page':
      run.pages.push({ who: step.who, at });
      rig.feed(viewed(SHOP, at, step.who));
      return;
    case 'poll': {
      const moment = { at, page: { name: SHOP, path: '/' }, agent: null, isIdentified: false };
      const asked = { workspace: WORKSPACE, lane: laneOf(step.who), anonymousId: step.who, moment };
      const { hasNews } = await rig.onSite.view.poll(asked);
      const look = {
        kind: 'look',
        workspace: WORKSPACE,
        anonymousId: step.who,
        requestId: 'r',
        ...moment,
      } as const;
      if (hasNews) await rig.onSite.calls.send(look);
      return;
    }
    case 'show': {
      const exposure = `${step.who}-${step.message}-${String(step.exposure)}`;
      const { taken } = await rig.onSite.calls.decide({
        kind: 'show',
        workspace: WORKSPACE,
        anonymousId: step.who,
        requestId: 'r',
        messageId: step.message,
        exposure,
        at,
        page: { name: SHOP, path: '/' },
      });
      const before = run.answers.get(exposure);
      if (before !== undefined) expect({ exposure, taken }).toEqual({ exposure, taken: before });
      run.answers.set(exposure, taken);
      return;
    }
    case 'report': {
      const exposure = `${step.who}-${step.message}-${String(step.exposure)}`;
      const { taken } = await rig.onSite.calls.decide({
        kind: 'report',
        workspace: WORKSPACE,
        anonymousId: step.who,
        requestId: 'r',
        messageId: step.message,
        exposure,
        at,
        event: step.event,
      });
      if (step.event === 'not_shown') {
        if (!taken) return;
        expect(run.answers.has(exposure)).toBe(true);
        run.answers.set(exposure, false);
        run.takenBack.add(exposure);
      } else expect(taken).toBe(run.answers.get(exposure) === true);
      return;
    }
    case 'order':
      rig.feed(did({ who: step.who, at, name: 'Order Completed' }));
      return;
    case 'identify':
      rig.feed(did({ who: step.who, at, type: 'identify', name: null, userId: step.who }));
      rig.feed(claimed(step.who, `cio_${step.who}`, at));
      return;
    case 'crash':
      rig.harness.crash();
      rig.feed(); // a task that starts again is told the definitions before it is asked
      return;
    case 'flush':
      rig.harness.flush();
      return;
    case 'wait':
      run.at += step.ms;
  }
}

const utcDay = (at: number): number => Math.floor(at / DAY);
const minutes: Readonly<Record<string, number>> = { PT2M: 2, PT5M: 5, PT1H: 60, PT2H: 120 };

type Definition = typeof definition extends fc.Arbitrary<infer T> ? T : never;

/** The caps as anybody would count them: over the list of what was shown, with nothing kept. */
function assertCaps(
  shown: readonly MessageEvent[],
  definitions: ReadonlyMap<string, Definition>,
  pages: Run['pages'],
): void {
  for (const visitor of VISITORS) {
    const theirs = shown.filter((one) => one.anonymous_id === visitor);
    for (const [id, { frequency: often, caps: cap }] of definitions) {
      const own = theirs.filter((one) => one.message_id === id);
      if ('times' in often) {
        expect(own.length).toBeLessThanOrEqual(often.times);
        assertGaps(own, own, minutes[often.gap] ?? 0);
      } else if (often.mode === 'once') expect(own.length).toBeLessThanOrEqual(1);
      const grouped =
        cap.group === undefined
          ? own
          : theirs.filter((one) => definitions.get(one.message_id)?.caps.group === cap.group);
      if (cap.day !== undefined) assertAtMost(own, grouped, cap.day, (at) => utcDay(at));
      if (cap.session !== undefined) {
        assertAtMost(own, grouped, cap.session, (at) => sessionOf(pages, visitor, at));
      }
      if (cap.gap !== undefined) {
        assertGaps(own, cap.group === undefined ? theirs : grouped, minutes[cap.gap] ?? 0);
      }
    }
  }
}

/** Up to each of `own`, and with it, no more of `counted` than so many are in one day or session. */
function assertAtMost(
  own: readonly MessageEvent[],
  counted: readonly MessageEvent[],
  most: number,
  spanOf: (at: number) => number,
): void {
  for (const one of own) {
    const until = counted.slice(0, counted.indexOf(one) + 1);
    expect(until.filter((other) => spanOf(other.at) === spanOf(one.at)).length).toBeLessThanOrEqual(most);
  }
}

/** Each of `own` comes so long after any of `others` that is before it. */
function assertGaps(own: readonly MessageEvent[], others: readonly MessageEvent[], gap: number): void {
  for (const one of own) {
    const before = others.slice(0, others.indexOf(one)).at(-1);
    if (before !== undefined) expect(one.at - before.at).toBeGreaterThanOrEqual(gap * MINUTE);
  }
}

/** When the session that lasts at this time began, by the visitor's own events. */
function sessionOf(pages: Run['pages'], visitor: string, at: number): number {
  let began = 0;
  let last = -Infinity;
  for (const page of pages) {
    if (page.who !== visitor || page.at > at) continue;
    if (page.at - last > SESSION_MS) began = page.at;
    last = page.at;
  }
  return began;
}

describe('whatever the order of polls, shows, reports, tabs, retries and crashes', () => {
  test('no cap and no frequency is exceeded, the holdout sees nothing, and what was told adds up', async () => {
    const scenario = fc.tuple(definition, definition, fc.array(action, { maxLength: 120, size: 'max' }));
    await fc.assert(
      fc.asyncProperty(scenario, async ([one, two, steps]) => {
        const definitions = new Map(Object.entries({ one, two }));
        const rig = new InAppRig();
        for (const [id, rest] of definitions) rig.message(id, rest);
        const run: Run = { rig, at: T0, answers: new Map(), takenBack: new Set(), pages: [] };
        for (const step of steps) {
          if (step.type === 'order' || step.type === 'identify')
            run.pages.push({ who: step.who, at: run.at });
          await play(run, step);
        }
        const events = rig.events();
        const decided = events.filter(({ event }) => event === 'shown');
        const shown = decided.filter(({ exposure }) => !run.takenBack.has(exposure ?? ''));
        assertCaps(shown, definitions, run.pages);
        const taken = [...run.answers].filter(([, answer]) => answer).map(([exposure]) => exposure);
        expect(shown.map(({ exposure }) => exposure).sort()).toEqual(taken.sort());
        const heldOut = new Set(
          events
            .filter(({ event }) => event === 'held_out')
            .map((each) => `${each.message_id} ${each.anonymous_id}`),
        );
        expect(shown.filter((each) => heldOut.has(`${each.message_id} ${each.anonymous_id}`))).toEqual([]);
        const count = (...names: string[]) => events.filter(({ event }) => names.includes(event)).length;
        expect(count('shown', 'refused', 'held_out')).toBe(count('eligible'));
        const counted = events
          .filter(({ event }) => event === 'refused' || event === 'held_out')
          .map(
            (each) =>
              `${each.message_id} ${each.anonymous_id} ${each.reason ?? ''} ${String(Math.floor(each.at / 3_600_000))}`,
          );
        expect(new Set(counted).size).toBe(counted.length);
        const replayed = rig.harness
          .replay({ reopenEachBatch: true })
          .map(({ bytes }) => bytes.toString('hex'));
        expect(replayed).toEqual(rig.harness.outputs.map(({ bytes }) => bytes.toString('hex')));
        await rig.close();
      }),
      { numRuns: runs(20) },
    );
  });
});
