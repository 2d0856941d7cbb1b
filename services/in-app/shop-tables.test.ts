/** Texts with what only the shop knows, by key. Whatever a text asks of a table, it gets a row or nothing. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Tables } from '../runtime/tables.ts';
import { runs } from '../testing/runs.ts';
import { did, InAppRig, T0, WORKSPACE } from '../testing/scenarios/in-app-rig.ts';

let rig: InAppRig;
beforeEach(() => {
  rig = new InAppRig();
});
afterEach(() => rig.close());

function put(table: string, key: string, row: object | null, workspace: string = WORKSPACE): void {
  rig.tables.apply({ workspace, table, key, row: row === null ? null : JSON.stringify(row) });
}

/** The text as the visitor's page gets it; undefined: nothing is offered. */
async function filled(body: string): Promise<unknown> {
  rig.message('m', { content: { kind: 'modal', title: 'x', body } });
  rig.feed(did({ name: 'Product Viewed', at: T0, properties: { sku: 'boots', name: 'Boots' } }));
  const { offered } = await rig.poll(T0);
  return offered[0]?.content['body'];
}

const LEFT = '{{ tables.stock[last_item.sku].left }}';

describe('a text with a table of the shop’s own', () => {
  test('has the row of the product last looked at, as it is now', async () => {
    put('stock', 'boots', { left: 3, price: '89.00' });
    const text = `{% assign s = tables.stock[last_item.sku] %}{{ s.left }} at {{ s.price }}`;
    expect(await filled(text)).toBe('3 at 89.00');
    put('stock', 'boots', { left: 2, price: '79.00' });
    expect(await filled(text)).toBe('2 at 79.00');
    put('stock', 'boots', null);
    expect(await filled(text)).toBe(' at ');
  });

  test('can say something else where there is none', async () => {
    const text = `{% if tables.stock[last_item.sku].left > 0 %}in stock{% else %}ask us{% endif %}`;
    expect(await filled(text)).toBe('ask us');
    put('stock', 'boots', { left: 1 });
    expect(await filled(text)).toBe('in stock');
  });

  test('has no row of another workspace', async () => {
    put('stock', 'boots', { left: 3 }, 'other');
    expect(await filled(LEFT)).toBe('');
  });

  test.each([
    ['lists no rows', '{% for row in tables.stock %}{{ row }}{% endfor %}', ''],
    ['lists no tables', '{% for table in tables %}{{ table }}{% endfor %}', ''],
    ['counts none', '{{ tables.stock.size }}', '0'],
    ['writes none out', '{{ tables.stock | json }}{{ tables | json }}', '{}{}'],
    ['is nothing as a text', '{{ tables }}{{ tables.stock }}', ''],
    ['has no table that is not there', '{{ tables.nothing.boots.left }}', ''],
    ['has no key that is not there', '{{ tables.stock[last_item.nothing].left }}', ''],
    ['reaches no member of ours', '{{ tables.constructor }}{{ tables.stock.__proto__.toString }}', ''],
  ])('%s', async (_what, text, expected) => {
    put('stock', 'boots', { left: 3 });
    expect(await filled(text)).toBe(expected);
  });

  test('finds a row by whatever its key is', async () => {
    for (const key of ['size', 'first', 'constructor', '__proto__', '42', 'ä b/c', 'toJSON']) {
      put('odd', key, { name: `<${key}>` });
      expect(await filled(`{{ tables.odd["${key}"].name }}`)).toBe(`<${key}>`);
    }
  });
});

test('what tables take is what their rows take, whatever was put and deleted before', () => {
  const change = fc.record({
    workspace: fc.constantFrom('one', 'two'),
    table: fc.constantFrom('a', 'b'),
    key: fc.constantFrom('k', 'ä', '__proto__'),
    row: fc.option(fc.constantFrom('{}', '{"n":1}', '{"text":"ä"}')),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const tables = new Tables();
      const rows = new Map<string, (typeof changes)[number]>();
      for (const each of changes) {
        tables.apply(each);
        rows.set(JSON.stringify([each.workspace, each.table, each.key]), each);
      }
      const left = [...rows.values()].filter(({ row }) => row !== null);
      const bytes = left.map(({ key, row }) => Buffer.byteLength(key + (row ?? '')));
      expect(tables.bytes).toBe(bytes.reduce((sum, each) => sum + each, 0));
      const used = ['one', 'two'].flatMap((workspace) => tables.used(workspace));
      expect(used.reduce((sum, each) => sum + each.rows, 0)).toBe(left.length);
      expect(used.reduce((sum, each) => sum + each.bytes, 0)).toBe(tables.bytes);
      for (const { workspace, table, key, row } of rows.values()) {
        expect(tables.row(workspace, table, key)).toEqual(row === null ? undefined : JSON.parse(row));
      }
    }),
    { numRuns: runs(60) },
  );
});
