/** The page /demo in Chromium, with a whole installation behind it: a newcomer walks it to its end. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chromiumBrowser, type ChromiumBrowser } from '../testing/browsers/chromium-browser.ts';
import { findChromium } from '../testing/browsers/find-chromium.ts';
import { WatchedPage } from '../testing/browsers/watched-page.ts';
import { eventually } from '../testing/eventually.ts';
import { startStack, type Stack } from '../testing/stack.ts';

const START_MS_MAX = 300_000;
const program = findChromium();
const inChromium = program === undefined ? describe.skip : describe;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let stack: Stack;
let browser: ChromiumBrowser;

const text = (page: WatchedPage, selector: string): Promise<unknown> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent.trim()`);
const isDone = (page: WatchedPage): Promise<unknown> =>
  page.evaluate(`[...document.querySelectorAll('[data-step].done')].map(({ dataset }) => dataset.step)`);
const comesTo = (page: WatchedPage, ...steps: string[]): Promise<void> =>
  eventually(async () => JSON.stringify(await isDone(page)) === JSON.stringify(steps));
const finds = (page: WatchedPage): Promise<unknown> =>
  page.evaluate(
    `axe.run(document, { iframes: false }).then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join()))`,
  );

inChromium('the page /demo', () => {
  beforeAll(async () => {
    stack = await startStack();
    browser = await chromiumBrowser(program ?? '');
  }, START_MS_MAX);
  afterAll(async () => {
    await browser.close();
    await stack.stop();
  }, START_MS_MAX);

  test('a newcomer looks, fills the cart, gets the message, leaves an email, and sees their past on the profile (spec E row 87)', async () => {
    const page = await WatchedPage.open(browser);
    await page.goto(`${stack.http}/demo`);
    await page.comes(`document.getElementById('who').textContent.startsWith('A visitor')`);
    const anonymousId = await page.anonymousId();
    expect(await isDone(page)).toEqual([]);
    await page.does(`document.querySelector('[data-product=p-boots]').click()`);
    await comesTo(page, 'viewed');
    await page.does(`document.getElementById('add').click()`);
    await comesTo(page, 'viewed', 'added');
    expect(await text(page, '#who')).toBe(`A visitor, ${anonymousId}. Who that is, nobody knows.`);
    expect(String(await text(page, '#story'))).toContain(
      'nobody’s: it waits for whoever this turns out to be',
    );
    await page.shows('Still thinking of Leather boots?');
    await comesTo(page, 'viewed', 'added', 'shown');
    await page.evaluate(`${axe}; 0`);
    expect(await finds(page)).toEqual([]);

    await page.fill({ email: 'newcomer@mail.example' });
    await comesTo(page, 'viewed', 'added', 'shown', 'claimed', 'merged', 'segment');
    expect(String(await text(page, '#who'))).toMatch(/^A person, whom the shop knows\./);
    const story = await page.evaluate(
      `[...document.querySelectorAll('#story li')].map(({ firstChild, className }) => [firstChild.textContent, className])`,
    );
    expect(story).toEqual(
      expect.arrayContaining([
        ['Product Viewed', 'mine'],
        ['Added to Cart', 'mine'],
      ]),
    );
    expect(await finds(page)).toEqual([]);
    await page.close();
  });

  test('what takes long, and a server that does not answer, is said', async () => {
    const page = await WatchedPage.open(browser);
    await page.goto(`${stack.http}/demo`);
    await page.comes(`document.getElementById('who').textContent.startsWith('A visitor')`);
    expect(await text(page, '#wrong')).toBe('');
    const wrong = (said: string) =>
      page.comes(`document.getElementById('wrong').textContent.startsWith(${JSON.stringify(said)})`);
    const answers = (answer: string) =>
      page.evaluate(
        `window.asked ??= fetch; window.fetch = async (...call) => String(call[0]).startsWith('/demo/story') ? ${answer} : asked(...call); 0`,
      );
    await answers(`new Response('', { status: 503 })`);
    await wrong('Hindsight could not answer (503).');
    await answers(`Promise.reject(new Error('gone'))`);
    await wrong('Hindsight does not answer.');
    await answers(`Response.json({ trace: { steps: [] } })`);
    await page.comes(`document.getElementById('wrong').textContent === ''`);
    await page.does(`document.querySelector('[data-product=p-boots]').click()`);
    await wrong('What you did last is on its way for longer than usual.');
    await answers(`asked(...call)`);
    await comesTo(page, 'viewed');
    await page.comes(`document.getElementById('wrong').textContent === ''`);
    await page.close();
  });

  test('a story is told of an id that a browser has made, and of none that somebody chose', async () => {
    const ask = (id: string) => fetch(`${stack.http}/demo/story?anonymous_id=${id}`);
    expect((await ask('ann')).status).toBe(400);
    const unknown = await ask('00000000-0000-4000-8000-00000000000a');
    expect([unknown.status, await unknown.json()]).toMatchObject([
      200,
      { trace: null, message: { outcome: 'not_eligible' } },
    ]);
  });
});
