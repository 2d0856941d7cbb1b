/** Offers into messages on the screen, with a renderer and a server that do as they are told. */
import { expect, test } from '@jest/globals';
import type { Offer, Outcome, Renderer } from './in-app/offer.ts';
import { Showing } from './in-app/showing.ts';

const offer: Offer = { message_id: 'm', version: 1, variant: 'a', content: { kind: 'modal' } };

/** @param answer of the server, given what may happen before it comes. */
function showing(answer: (one: Showing) => string | undefined, show: Renderer['show'] = draws) {
  const told: string[] = [];
  const one: Showing = new Showing({
    isHidden: () => false,
    renderer: () => Promise.resolve({ hasPlace: () => true, show }),
    ask: () => Promise.resolve().then(() => answer(one)),
    react: ({ message_id: id }: Offer, _exposure: string, { event }: Outcome) => told.push(`${id} ${event}`),
  });
  return { one, told };
}
const draws: Renderer['show'] = () => ({ isOpen: () => true, close: () => undefined });
const breaks: Renderer['show'] = () => {
  throw new Error('the page has broken it');
};

test.each<[string, Parameters<typeof showing>, string[]]>([
  ['it is on the screen', [() => 'a'], []],
  ['it may not be shown', [() => undefined], []],
  ['the page has changed', [(one) => (one.clear(), 'a')], ['m not_shown']],
  ['the page is left', [(one) => (one.leave(), undefined)], ['m not_shown']],
  ['nobody knows whether it may', [() => ''], ['m not_shown']],
  ['the page cannot draw it', [() => 'a', breaks], ['m not_shown']],
])('a showing that does not come to be is taken back: %s', async (_what, [answer, show], expected) => {
  const { one, told } = showing(answer, show);
  await one.take([offer]);
  expect(told).toEqual(expected);
});

test('what the page cannot draw is not asked for again on it', async () => {
  let asked = 0;
  const { one, told } = showing(() => ((asked += 1), 'a'), breaks);
  await one.take([offer]);
  await one.take([offer]);
  expect([asked, told]).toEqual([1, ['m not_shown']]);
});

test('a page that is left has nothing on the screen when it comes back', async () => {
  const closed: string[] = [];
  const { one } = showing(
    () => 'a',
    () => ({ isOpen: () => closed.length === 0, close: () => closed.push('m') }),
  );
  await one.take([offer]);
  one.leave();
  expect(closed).toEqual(['m']);
});
