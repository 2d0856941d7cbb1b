/**
 * What an event is about, as one list `items` (spec E row 112): whatever of `items`, `products`,
 * `line_items` and `skus` a client sends becomes items of sku, name, qty, price, image_url, product_url, variant_id and
 * category, in this order. What is not one of these stays behind them, and every value that need not be read as a number
 * keeps its text. Pure.
 */
import { foldedName } from '../runtime/event-names.ts';
import type { SentObject } from './json-text.ts';

/** The first that is a list counts. */
const SOURCES = ['items', 'products', 'line_items', 'skus'] as const;

type Field = 'sku' | 'name' | 'qty' | 'price' | 'image_url' | 'product_url' | 'variant_id' | 'category';

/** By the member that is kept: how clients call it, without regard to spelling, the first goes before the others. */
const MEMBERS: Readonly<Record<Field, readonly string[]>> = {
  sku: ['sku', 'item id', 'product id', 'id'],
  name: ['name', 'product name', 'item name', 'title', 'product title'],
  qty: ['qty', 'quantity'],
  price: ['price', 'unit price', 'item price'],
  image_url: ['image url', 'image', 'image link', 'image src'],
  product_url: ['product url', 'url', 'link', 'product link'],
  variant_id: ['variant id', 'item variant', 'variant'],
  category: ['category', 'product category', 'item category', 'product type'],
};
const FIELDS = Object.keys(MEMBERS) as Field[]; // the keys of a record of Field
const NUMBERS: ReadonlySet<Field> = new Set(['qty', 'price']);

export interface NormalItems {
  /** JSON of the list. */
  readonly text: string;
  /** JSON of what the client called `items`, where that was another list. */
  readonly replaced: string | undefined;
}

/** Undefined when there is no list, or the list is as it should be. */
export function normalItems(properties: SentObject): NormalItems | undefined {
  const source = SOURCES.find((field) => Array.isArray(properties.value[field]));
  if (source === undefined) return undefined;
  const values = properties.value[source] as readonly unknown[]; // found to be a list
  const objects = properties.objects(source);
  const texts = values.map((value, index) => itemText(value, objects[index]));
  const text = `[${texts.filter((each) => each !== undefined).join(',')}]`;
  const own = properties.textOf('items');
  if (own === text) return undefined;
  return { text, replaced: own };
}

function itemText(value: unknown, item: SentObject | undefined): string | undefined {
  if (item !== undefined) return objectText(item);
  if (typeof value === 'string' && value.trim() !== '') return `{"sku":${JSON.stringify(value.trim())}}`;
  return typeof value === 'number' ? `{"sku":${JSON.stringify(String(value))}}` : undefined;
}

function objectText(item: SentObject): string {
  const names = Object.keys(item.value);
  const byFolded = new Map<string, string>();
  for (const name of names) if (!byFolded.has(foldedName(name))) byFolded.set(foldedName(name), name);
  const used = new Set<string>();
  const members: string[] = [];
  for (const field of FIELDS) {
    const found = MEMBERS[field].map((name) => byFolded.get(name)).find((name) => isSaid(item, name, used));
    if (found === undefined) continue;
    used.add(found);
    members.push(`"${field}":${memberText(item, found, field)}`);
  }
  for (const name of names) {
    // A second member of a kept name would make the item ambiguous.
    const isKept = used.has(name) || (FIELDS as string[]).includes(name);
    if (!isKept) members.push(`${JSON.stringify(name)}:${item.textOf(name) ?? 'null'}`);
  }
  return `{${members.join(',')}}`;
}

function isSaid(item: SentObject, name: string | undefined, used: ReadonlySet<string>): name is string {
  if (name === undefined || used.has(name)) return false;
  const value = item.value[name];
  return value !== null && value !== undefined && value !== '';
}

function memberText(item: SentObject, name: string, field: Field): string {
  const text = item.textOf(name) ?? 'null';
  const value = item.value[name];
  if (NUMBERS.has(field)) return (typeof value === 'string' ? numberText(value) : undefined) ?? text;
  // Ids are text everywhere; whoever writes 7 and whoever writes "7" mean one.
  if ((field === 'sku' || field === 'variant_id') && typeof value === 'number') return `"${text}"`;
  return text;
}

/** Decimals of a program, or thousands of a shop that groups them by points. */
const COULD_BE_TWO = /^-?[1-9]\d{0,2}\.\d{3}$/;
/** A sign or a code of a currency may stand before or behind it, with space between, which is in one place of the pattern only. */
const MONEY = /^(?:\p{Sc}|[A-Z]{3})?\s*(-?\d[\d.,\s]*)(?:\p{Sc}|[A-Z]{3})?$/u;

/**
 * `129.90`, `1,299.00`, `1.299,00` and `€ 129,90` as JSON numbers; undefined for what is none. Of a point and a comma the
 * later one is the decimal sign; a lone one is, unless three digits follow it. `1,299` is 1299: a program writes no decimal
 * comma, and a shop hardly three decimals. `1.299` is a program's 1.299 as often as a German shop's 1299, a thousand times
 * as much, so it is neither and stays the text that was sent, as a date that could be two stays one.
 */
export function numberText(sent: string): string | undefined {
  const digits = MONEY.exec(sent.trim())?.[1]?.replace(/\s/gu, '');
  if (digits === undefined || COULD_BE_TWO.test(digits)) return undefined;
  const decimal = decimalSign(digits);
  const [whole = '', fraction, ...more] = decimal === undefined ? [digits] : digits.split(decimal);
  if (more.length > 0) return undefined;
  const units = whole.replace(/[.,]/g, '').replace(/^(-?)0+(?=\d)/, '$1');
  if (!/^-?\d+$/.test(units) || (fraction !== undefined && !/^\d+$/.test(fraction))) return undefined;
  return fraction === undefined ? units : `${units}.${fraction}`;
}

function decimalSign(digits: string): '.' | ',' | undefined {
  const [point, comma] = [digits.lastIndexOf('.'), digits.lastIndexOf(',')];
  if (point >= 0 && comma >= 0) return point > comma ? '.' : ',';
  if (point < 0 && comma < 0) return undefined;
  const sign = point >= 0 ? '.' : ',';
  const isGrouping = /^-?\d{1,3}(?:,\d{3})+$/.test(digits) || /^-?\d{1,3}(?:\.\d{3}){2,}$/.test(digits);
  return isGrouping ? undefined : sign;
}
