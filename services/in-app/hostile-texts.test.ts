/** Texts that are written to cost: what a poll does for them is counted, never timed, and nobody else's poll pays. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseTemplate, RenderBudget, renderedCharsMax } from '../rules/template.ts';
import { did, HOUR, InAppRig, SECOND, SHOP, T0 } from '../testing/scenarios/in-app-rig.ts';

const items = Array.from({ length: 10 }, (_, index) => ({ name: `n${String(index)}`, price: index }));
const data = { items, last_item: items[0], cart: { items, item_count: 10 } };
const fill = (text: string, budget = new RenderBudget()): string | undefined => {
  const parsed = parseTemplate(text);
  return parsed.ok ? parsed.template.render(data, budget) : undefined;
};
const nested = (depth: number) => '{% for a in items %}'.repeat(depth) + '{% endfor %}'.repeat(depth);
const words = 'a,'.repeat(5_000);

describe('a text that is written to cost', () => {
  test.each([
    ['loops in loops', nested(8)],
    ['a long range', '{% for i in (1..190000) %}x{% endfor %}'],
    [
      'a table in a table',
      '{% tablerow i in (1..1000) %}{% tablerow j in items %}{% endtablerow %}{% endtablerow %}',
    ],
    [
      'a text that doubles',
      '{% assign a = "xxxxxxxx" %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}',
    ],
    [
      'a text that is replaced by a longer one',
      '{% assign a = "aaaaaaaaaa" %}{% for i in (1..9) %}{% assign a = a | replace: "a", "aaaaaaaaaa" %}{% endfor %}',
    ],
    ['a list that doubles', '{% for i in (1..100) %}{% assign items = items | concat: items %}{% endfor %}'],
    ['a date with a wide year', '{{ "2020-01-01" | date: "%99999999Y" }}'],
    [
      'a list that is sorted again and again',
      `{% assign a = "${words}" | split: "," %}{% for i in (1..1000) %}{% assign b = a | sort %}{% endfor %}`,
    ],
    ['a list that is written out again and again', '{% for i in (1..1000) %}{{ items | json }}{% endfor %}'],
    ['a file of ours', "{% include '/etc/passwd' %}"],
    ['a file of ours, rendered', "{% render '../package.json' %}"],
    ['a layout of ours', "{% layout '/etc/hosts' %}"],
  ])('%s is not filled in', (_what, text) => {
    expect(fill(text)).toBeUndefined();
  });

  test('reaches nothing but what it is given', () => {
    expect(fill('{{ items.constructor }}{{ last_item.__proto__ }}{{ last_item.toString }}')).toBe('');
  });

  test('is filled in or not whatever else the machine does: the same each time', () => {
    const text = '{% for i in (1..1500) %}{% endfor %}';
    const filled = Array.from({ length: 20 }, () => fill(text) !== undefined);
    expect(new Set(filled).size).toBe(1);
  });

  test('shares what there is with the other texts of its message', () => {
    const budget = new RenderBudget();
    const text = '{% for i in (1..300) %}{{ i }}{% endfor %}';
    expect(fill(text, budget)).toBeDefined();
    for (let times = 0; times < 20; times += 1) fill(text, budget);
    expect(fill(text, budget)).toBeUndefined();
    expect(fill(text)).toBeDefined();
  });

  test('is no longer than a page takes', () => {
    expect(fill(`{% for i in (1..900) %}${'x'.repeat(200)}{% endfor %}`)).toBeUndefined();
    expect(renderedCharsMax).toBeLessThan(900 * 200);
  });
});

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

test('what a shop shows usually costs little of it: a cart of twenty lines, in ten messages at once', async () => {
  const body =
    '{% for item in cart.items %}{{ item.name }} {{ item.quantity }} {{ item.price }}, {% endfor %}';
  for (let place = 0; place < 10; place += 1) {
    const content = { kind: 'inline', element: `slot${String(place)}`, title: '{{ last_item.name }}', body };
    rig.message(`m${String(place)}`, { content });
  }
  for (let line = 0; line < 20; line += 1) {
    const properties = {
      sku: `s${String(line)}`,
      name: `Boots number ${String(line)}`,
      price: 10,
      quantity: 2,
    };
    rig.feed(did({ at: T0, properties }));
  }
  expect((await rig.poll(T0)).offered).toHaveLength(10);
});

test('one that costs too much is left out of the answer, and the others are offered', async () => {
  const inline = (element: string, body: string) => ({
    content: { kind: 'inline', element, title: 'x', body },
  });
  rig.message('dear', { ...inline('b', nested(8)), priority: 1 });
  rig.message('cheap', { ...inline('a', 'Hello {{ last_item.name }}'), priority: 2 });
  rig.feed(...items.map(({ name }) => did({ name: 'Product Viewed', at: T0, properties: { sku: name } })));
  expect((await rig.poll(T0)).ids).toEqual(['cheap']);
});

test('a number of very many digits in what a visitor sends costs its length', () => {
  const rig = new InAppRig();
  try {
    const sent = did({ at: T0, name: 'Product Viewed' });
    const number = `{"price":1${'0'.repeat(90_000)}1,"name":"Boots"}`;
    const began = process.cpuUsage();
    for (let times = 0; times < 5; times += 1) {
      const message = { message_id: `n${String(times)}`, properties: number, context: number };
      rig.feed({ ...sent, value: sent.value && { ...sent.value, ...message } });
    }
    expect(process.cpuUsage(began).user).toBeLessThan(4_000_000);
  } finally {
    void rig.close();
  }
});

describe('a message whose texts cannot be filled in', () => {
  const modal = (body: string) => ({ content: { kind: 'modal', title: 'x', body } });

  test('says so, is counted as a refusal once an hour, and the next one is offered in its place', async () => {
    rig.message('dear', { ...modal(nested(8)), priority: 1 });
    rig.message('cheap', { ...modal('Hello'), priority: 2 });
    rig.feed(...items.map(({ name }) => did({ name: 'Product Viewed', at: T0, properties: { sku: name } })));
    expect((await rig.poll(T0)).ids).toEqual(['cheap']);
    expect((await rig.poll(T0 + SECOND)).ids).toEqual(['cheap']);
    expect(rig.told('dear')).toEqual(['eligible', 'refused text_too_costly']);
    expect(rig.told('cheap')).toEqual([]);
    await rig.poll(T0 + HOUR);
    expect(rig.told('dear')).toHaveLength(4);
    const why = (await rig.why('dear', T0 + HOUR)).json<{ checks: { check: string; ok: boolean }[] }>();
    expect(why).toMatchObject({ outcome: 'refused', reason: 'text_too_costly' });
    expect(why.checks.filter(({ ok }) => !ok)).toEqual([
      { check: 'text_too_costly', ok: false, says: expect.stringContaining('more work') },
    ]);
    expect((await rig.why('cheap', T0 + HOUR)).json()).toMatchObject({ outcome: 'show' });
  });

  test('is not said of one that something else stands against', async () => {
    rig.message('dear', { ...modal(nested(8)), pages: [{ equals: 'https://shop.example/other' }] });
    rig.feed(...items.map(({ name }) => did({ name: 'Product Viewed', at: T0, properties: { sku: name } })));
    await rig.poll(T0);
    expect(rig.told()).toEqual([]);
    const why = await rig.why('dear', T0, { page: SHOP });
    expect(why.json()).toMatchObject({ outcome: 'not_eligible', reason: 'page' });
  });

  test('takes no more of a poll than ten such messages', async () => {
    for (let each = 10; each < 40; each += 1) rig.message(`dear${String(each)}`, modal(nested(8)));
    rig.feed(...items.map(({ name }) => did({ name: 'Product Viewed', at: T0, properties: { sku: name } })));
    await rig.poll(T0);
    expect(rig.told().filter((told) => told.startsWith('refused'))).toHaveLength(10);
  });
});
