/**
 * Customer.io's snippet, library and in-app plugin in Chromium, as they are but for the hosts of others, with a whole
 * installation behind them. The plugin's `_env: "local"` are ports of this machine (spec B), which the browser leads to ours.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { findChromium } from '../testing/browsers/find-chromium.ts';
import { ShopStack } from '../testing/browsers/shop-stack.ts';
import type { WatchedPage } from '../testing/browsers/watched-page.ts';
import { eventually } from '../testing/eventually.ts';

const START_MS_MAX = 300_000;
const program = findChromium();
const inChromium = program === undefined ? describe.skip : describe;

const FRAME = 'http://localhost:9998/index.html';
const ROOT = 'document.body.lastElementChild.shadowRoot';
const VISIBLE = `document.querySelector('iframe.gist-visible')`;
let shop: ShopStack;

const at = (path: string) => [{ contains: path }];
const inFrame = (visitor: WatchedPage, expression: string) => visitor.evaluateInFrame(FRAME, expression);
const shows = async (visitor: WatchedPage, title: string): Promise<void> => {
  await visitor.comes(VISIBLE);
  await eventually(
    async () => (await inFrame(visitor, `${ROOT}?.querySelector('.title')?.textContent`)) === title,
  );
};
const press = (visitor: WatchedPage, selector: string) =>
  inFrame(visitor, `void ${ROOT}.querySelector(${JSON.stringify(selector)}).click()`);
/** The plugin looks at its queue once more, and this is what it has: it goes by rules and frequency itself. */
const looksAgain = async (visitor: WatchedPage): Promise<readonly string[]> => {
  await visitor.does(`localStorage.removeItem('gist.web.userQueueNextPullCheck')`);
  return visitor.offered();
};

inChromium('the web plugin', () => {
  beforeAll(async () => {
    shop = await ShopStack.open(program ?? '');
  }, START_MS_MAX);
  afterAll(() => shop.close(), START_MS_MAX);
  afterEach(() => shop.leave());

  test('a message is shown in the centre, counted, dismissed, and never shown again (spec E rows 48, 56, 63, 70)', async () => {
    await shop.message('plain', { pages: at('/plugin/plain') });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/plugin/plain');
    await shows(visitor, 'plain');
    expect(await visitor.evaluate(`${VISIBLE}.classList.contains('gist-center')`)).toBe(true);
    await shop.passes(1_000);
    await press(visitor, '.close');
    await visitor.comes(`${VISIBLE} === null`);
    expect(await shop.told('plain')).toEqual(['eligible', 'shown']); // it tells nobody of a dismissal (spec B)
    const reports = await shop.calls.rows(
      `SELECT JSONExtractString(properties, 'actionType') FROM anonymous_events WHERE name = 'Report Content Event' AND anonymous_id = '${await visitor.anonymousId()}'`,
    );
    expect(reports).toEqual([['viewed_content']]);
    await shop.goes(visitor, '/plugin/plain');
    await looksAgain(visitor);
    await looksAgain(visitor); // what the first answer brought would be on the screen by the second
    expect(await visitor.evaluate(`${VISIBLE} === null`)).toBe(true);
  });

  test('twice is twice, as the plugin counts and as we do (spec E row 54)', async () => {
    await shop.message('twice', { pages: at('/plugin/twice'), frequency: { times: 2 } });
    const visitor = await shop.visitor();
    const showings = async (): Promise<number> => {
      const told = await shop.told('twice', await visitor.anonymousId());
      return told.filter((what) => what === 'shown').length;
    };
    for (let time = 1; time <= 2; time++) {
      await shop.goes(visitor, '/plugin/twice');
      await shows(visitor, 'twice');
      // Told after the next page was viewed, it would be on the screen there.
      await eventually(async () => (await showings()) === time);
    }
    await shop.goes(visitor, '/plugin/twice');
    expect(await looksAgain(visitor)).not.toContain('twice');
    expect(await visitor.evaluate(`${VISIBLE} === null`)).toBe(true);
    expect(await showings()).toBe(2);
  });

  test('a button leads to where it says, and the click counts by its name (spec E rows 65 and 69)', async () => {
    await shop.message('sale', { pages: at('/plugin/sale') });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/plugin/sale');
    await shows(visitor, 'sale');
    await shop.passes(1_000);
    await press(visitor, 'a.button');
    await eventually(async () => (await shop.told('sale')).includes('clicked go'));
    await visitor.comes(`location.hash === '#sale'`);
  });

  test('who is identified in the middle of the visit is offered nothing from then on (spec E rows 49 and 50)', async () => {
    await shop.message('stranger', { pages: at('/plugin/stranger'), frequency: { mode: 'always' } });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/plugin/stranger');
    await shows(visitor, 'stranger');
    await press(visitor, '.close');
    const before = await visitor.answers();
    await visitor.does(`analytics.identify('eve', { email: 'eve@shop.example' })`);
    await eventually(async () => (await visitor.answers()) > before); // it asks at once, as somebody now
    await shop.goes(visitor, '/plugin/stranger');
    expect(await looksAgain(visitor)).toEqual([]);
    expect(await visitor.evaluate(`${VISIBLE} === null`)).toBe(true);
  });

  test('each form of a page rule, by the pattern that the plugin is given (spec E rows 51, 52, 53)', async () => {
    const forms: Readonly<Record<string, readonly object[]>> = {
      contains: [{ contains: 'rules/pricing' }],
      equals: [{ equals: '/plugin/rules/cart' }],
      wildcard: [{ equals: '/plugin/rules/p-*/size' }],
      several: [{ equals: '/plugin/rules/a' }, { contains: 'rules/b' }],
    };
    for (const [id, pages] of Object.entries(forms)) {
      const content = { kind: 'inline', element: 'slot', title: id, body: id };
      await shop.message(`form-${id}`, { pages, content, frequency: { mode: 'always' } });
    }
    const visitor = await shop.visitor();
    const shown: Record<string, unknown> = {};
    for (const page of ['pricing?plan=1', 'cart', 'cart/2', 'p-7/size', 'a', 'b2', 'Pricing']) {
      await shop.goes(visitor, `/plugin/rules/${page}`);
      await looksAgain(visitor);
      await looksAgain(visitor);
      const frame = `document.querySelector('#slot iframe')`;
      if ((await visitor.evaluate(`${frame} !== null`)) === true) {
        await eventually(async () => Boolean(await inFrame(visitor, `${ROOT}?.querySelector('.title')`)));
      }
      shown[page] = await inFrame(visitor, `${ROOT}?.querySelector('.title')?.textContent`);
    }
    expect(shown).toEqual({
      'pricing?plan=1': 'contains',
      cart: 'equals',
      'cart/2': undefined,
      'p-7/size': 'wildcard',
      a: 'several',
      b2: 'several',
      Pricing: undefined,
    });
  });

  test('what is answered in a survey comes as an event of the visitor (spec E row 66)', async () => {
    const form = { fields: ['shoe_size'], submit: 'Tell us' };
    await shop.message('survey', {
      pages: at('/plugin/survey'),
      content: { kind: 'modal', title: 'Size?', form },
    });
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/plugin/survey');
    await shows(visitor, 'Size?');
    await inFrame(
      visitor,
      `${ROOT}.querySelector('input').value = '38', void ${ROOT}.querySelector('form').requestSubmit()`,
    );
    const asked = `SELECT properties FROM anonymous_events WHERE name = 'Message Answered' AND anonymous_id = '${await visitor.anonymousId()}'`;
    await eventually(async () => (await shop.calls.rows(asked)).length === 1);
    const [[properties] = []] = await shop.calls.rows(asked);
    expect(JSON.parse(String(properties))).toMatchObject({ message_id: 'survey', shoe_size: '38' });
  });

  test('without anonymousInApp nobody unidentified is asked for (spec E row 46)', async () => {
    const visitor = await shop.visitor();
    await shop.goes(visitor, '/plugin-silent/');
    await visitor.comes('window.analytics?.initialized && analytics.inbox');
    await visitor.evaluate('new Promise((done) => setTimeout(done, 3000))'); // its ticker is a second's
    expect(await visitor.answers()).toBe(0);
  });
});
