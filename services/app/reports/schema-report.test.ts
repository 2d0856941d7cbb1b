import { describe, expect, test } from '@jest/globals';
import { defaultSettings } from '../../runtime/workspace-settings.ts';
import { schemaReport, type ShapeRow } from './schema-report.ts';

const T0 = Date.UTC(2026, 10, 1);
const DAY = 86_400_000;
const shape = (...entries: string[]) => entries.join('\u001f');
const row = (fields: Partial<ShapeRow>): ShapeRow => ({
  name: 'Added to Cart',
  asSent: '',
  shape: '',
  events: 1,
  firstAt: T0,
  lastAt: T0,
  example: 'm',
  ...fields,
});
const report = (rows: readonly ShapeRow[], settings: Partial<typeof defaultSettings> = {}) =>
  schemaReport(rows, { ...defaultSettings, ...settings });

describe('the schema report (E row 95)', () => {
  test('says of each event its properties, their types, and since when and until when they came', () => {
    const { events } = report([
      row({ shape: shape('price:0', 'sku:"'), events: 3, lastAt: T0 + 5 }),
      row({ shape: shape('sku:"'), events: 1, asSent: 'add_to_cart', firstAt: T0 - 5, lastAt: T0 - 5 }),
    ]);
    expect(events).toEqual([
      {
        event: 'Added to Cart',
        events: 4,
        first_seen_at: new Date(T0 - 5).toISOString(),
        last_seen_at: new Date(T0 + 5).toISOString(),
        names: [
          { name: 'Added to Cart', events: 3 },
          { name: 'add_to_cart', events: 1 },
        ],
        properties: [
          {
            property: 'price',
            events: 3,
            missing: 1,
            types: [
              {
                type: 'number',
                events: 3,
                first_seen_at: new Date(T0).toISOString(),
                last_seen_at: new Date(T0 + 5).toISOString(),
              },
            ],
          },
          expect.objectContaining({ property: 'sku', events: 4, missing: 0 }),
        ],
        violations: [],
      },
    ]);
  });

  test('what breaks a schema is counted with an example; null counts as missing, never as of a wrong type', () => {
    const event_schemas = {
      'Added to Cart': { required: ['sku', 'price'], types: { price: 'number', sku: 'text' } },
    } as const;
    const rows = [
      row({ shape: shape('price:0', 'sku:"'), events: 5 }),
      row({ shape: shape('price:"', 'sku:"'), events: 2, example: 'text price' }),
      row({ shape: shape('price:n'), events: 1, example: 'nothing' }),
    ];
    const { events, violations } = report(rows, { event_schemas });
    expect(events[0]?.violations).toEqual([
      { property: 'price', rule: 'type', expected: 'number', events: 2, example: 'text price' },
      { property: 'sku', rule: 'required', expected: null, events: 1, example: 'nothing' },
      { property: 'price', rule: 'required', expected: null, events: 1, example: 'nothing' },
    ]);
    expect(violations).toBe(3);
    expect(report(rows).violations).toBe(0);
  });

  test('drift: a type that changes, a property that appears and one that goes, a day apart', () => {
    const { drift } = report([
      row({ shape: shape('cart:{', 'price:0'), firstAt: T0, lastAt: T0 + DAY }),
      row({ shape: shape('coupon:"', 'price:"'), firstAt: T0 + DAY, lastAt: T0 + 2 * DAY }),
    ]);
    expect(drift.map(({ drift: what, property }) => [what, property])).toEqual([
      ['gone', 'cart'],
      ['several_types', 'price'],
      ['appeared', 'coupon'],
    ]);
    const near = report([
      row({ shape: shape('cart:{'), firstAt: T0, lastAt: T0 }),
      row({ shape: shape('coupon:"'), firstAt: T0 + DAY - 1, lastAt: T0 + DAY - 1 }),
    ]);
    expect(near.drift).toEqual([]);
  });

  test('drift: names that read like one event and are kept apart', () => {
    const names = (...kept: string[]) => report(kept.map((name) => row({ name }))).drift;
    expect(names('add_to_cart', 'Added to Cart', 'productAddedToCart', 'Wishlist')).toEqual([
      {
        event: 'add_to_cart',
        drift: 'several_names',
        property: null,
        detail:
          'also comes as Added to Cart, productAddedToCart: name them in event_names if they are one event',
      },
    ]);
    expect(names('Quiz Completed', 'quiz_completed')).toHaveLength(1);
    expect(names('¿?', '??')).toEqual([]);
  });

  test('a property whose name has a colon or looks like an object’s own is one like any other', () => {
    const { events } = report([row({ shape: shape('__proto__:"', 'a:b:0', 'broken') })]);
    expect(events[0]?.properties.map(({ property }) => property)).toEqual(['__proto__', 'a:b']);
  });
});
