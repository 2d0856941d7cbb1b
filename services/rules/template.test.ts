/** What a text may cost is bounded whatever it does, also by what the library does not count. */
import { describe, expect, test } from '@jest/globals';
import { parseTemplate, RenderBudget, type TextTemplate } from './template.ts';

function templateOf(text: string): TextTemplate {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.template;
}

/** Fourteen times over a list of 20,000, or over what is made of it. */
const overAndOver = (what: string): string =>
  `{% assign t = (1..20000) %}{% assign u = (1..20000) %}{% for i in (1..14) %}${what}{% endfor %}`;
const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`key ${String(at)}`, at]));
const chain = Array.from({ length: 2_000 }, (_, at) => `x == -1${String(at)}`).join(' or ');

describe('costs too much', () => {
  test.each([
    ...['has', 'find', 'find_index'].map((name) => overAndOver(`{% assign z = t | ${name}: 'n', 5 %}`)),
    ...['has_exp', 'find_exp', 'find_index_exp', 'where_exp'].map((name) =>
      overAndOver(`{% assign z = t | ${name}: 'x', 'x == -1' %}`),
    ),
    overAndOver('{% if t contains -1 %}{% endif %}'),
    overAndOver('{% if t == u %}{% endif %}'),
    overAndOver('{% if t > u %}{% endif %}'),
    `{% assign t = (1..900) %}{% assign z = t | find_exp: 'x', '${chain}' %}`,
    `{% for i in (1..900) %}{{ i${'.size'.repeat(2_000)} }}{% endfor %}`,
    `{% assign a = (1..90) %}{% assign b = '' | split: '' %}${'{% assign b = b | push: a %}{% assign a = b %}'.repeat(90)}{% if a == b %}{% endif %}`,
    '{% for i in (1..1900) %}{% for k in wide limit: 1 %}{% endfor %}{% endfor %}',
    '{% for i in (1..1900) %}{{ wide.size }}{% endfor %}',
  ])('%#', (text) => {
    const budget = new RenderBudget();
    expect(templateOf(text).render({ wide: text.includes('wide') ? wide : {} }, budget)).toBeUndefined();
    expect(budget.isExceeded).toBe(true);
  });
});

test('what a shop writes costs little of it', () => {
  const items = Array.from({ length: 50 }, (_, at) => ({
    name: `Boots ${String(at)}`,
    price: 100 + at,
    tags: ['a', 'b'],
  }));
  const text = `{% assign dear = items | where_exp: 'item', 'item.price > 120' | sort: 'price' | map: 'name' %}
    {% if dear contains 'Boots 30' and items.size == 50 %}{{ dear | first | upcase }}{% endif %}
    {% for item in items limit: 20 %}{% if item.tags contains 'b' %}{{ item.name }}, {{ item.price | times: 2 | round: 1 }};{% endif %}{% endfor %}`;
  const budget = new RenderBudget();
  for (let each = 0; each < 10; each += 1) {
    expect(templateOf(text).render({ items }, budget)).toContain('BOOTS 21');
  }
  expect(budget.isExceeded).toBe(false);
});
