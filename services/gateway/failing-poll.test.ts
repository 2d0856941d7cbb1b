/** Polls go to the service in-app together: none of them may cost another its answer, nor a busy machine all of them. */
import { expect, test } from '@jest/globals';
import { toWorkspace } from '../../schemas/ids.ts';
import { newVisitor } from '../in-app/decide/visitor.ts';
import { Polls } from '../in-app/polls.ts';
import { laneOf } from '../on-site/visitors.ts';

/** As the gateway sends it. */
function asked(workspaceName: string, anonymousId: string, text: string) {
  const workspace = toWorkspace(workspaceName);
  const page = { name: text, path: text };
  const moment = { at: Number.MAX_SAFE_INTEGER, page, agent: text, isIdentified: false, isAnyPage: false };
  return { workspace, lane: laneOf(workspace, anonymousId), anonymousId, moment, isToken: false };
}

test('one that fails costs no other its answer', async () => {
  const polls = new Polls(1);
  polls.opened(0, {
    messages: () => ({
      byId: new Map(),
      byContentId: new Map(),
      running: [],
      byName: new Map(),
      unreadable: 0,
    }),
    visitor: (_lane, anonymousId) => {
      if (anonymousId === 'unreadable') throw new RangeError('what is kept of them cannot be read');
      return newVisitor(anonymousId);
    },
  });
  const names = Array.from({ length: 20 }, (_, at) => (at === 7 ? 'unreadable' : `visitor-${String(at)}`));
  const body = Buffer.from(JSON.stringify(names.map((name) => asked('shop', name, 'x'))));
  const answers = (await polls.actions['polls']?.(body)) as readonly unknown[];
  expect(answers.map((answer) => answer !== null)).toEqual(names.map((name) => name !== 'unreadable'));
});

test('a machine that has no time for them makes no pause after each', async () => {
  const polls = new Polls(1);
  const still = new Int32Array(new SharedArrayBuffer(4));
  let asleepMs = 0;
  polls.opened(0, {
    messages: () => ({
      byId: new Map(),
      byContentId: new Map(),
      running: [],
      byName: new Map(),
      unreadable: 0,
    }),
    visitor: (_lane, anonymousId) => {
      Atomics.wait(still, 0, 0, 30); // takes nothing of the processor
      asleepMs += 30;
      return newVisitor(anonymousId);
    },
  });
  const body = Buffer.from(JSON.stringify(['a', 'b', 'c'].map((name) => asked('shop', name, 'x'))));
  let turns = 0;
  const counting = setInterval(() => (turns += 1), 0);
  await polls.actions['polls']?.(body);
  clearInterval(counting);
  expect({ asleepMs, turns }).toEqual({ asleepMs: 90, turns: 0 });
});
