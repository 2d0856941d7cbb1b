/** What events of a shop say, whatever it calls them: looked at, into and out of the cart, bought. */
import { isJsonObject, valueAt, type JsonObject } from '../../rules/paths.ts';
import { ExactNumber } from '../../runtime/exact-json.ts';
import type { CartLine, Item } from './visitor.ts';

export type Step = 'viewed' | 'added' | 'removed' | 'ordered';

/** Names in the words of Segment, Google Analytics, Shopify, Klaviyo and Customer.io's own guides. */
const STEPS: Readonly<Record<Step, readonly string[]>> = {
  viewed: ['productviewed', 'viewedproduct', 'viewitem', 'viewproduct', 'viewcontent'],
  added: ['productadded', 'addedtocart', 'addtocart', 'productaddedtocart'],
  removed: ['productremoved', 'removedfromcart', 'removefromcart', 'productremovedfromcart'],
  ordered: ['ordercompleted', 'orderplaced', 'placedorder', 'purchase', 'purchased', 'checkoutcompleted'],
};
const byName = new Map(
  Object.entries(STEPS).flatMap(([step, names]) => names.map((name) => [name, step as Step] as const)),
);

/** undefined: none of these. Case, spaces and underscores do not count. */
export function stepOf(name: string | null): Step | undefined {
  return name === null ? undefined : byName.get(name.toLowerCase().replace(/[^a-z]/g, ''));
}

const FIELDS = {
  product_id: ['product_id', 'productId', 'item_id', 'id'],
  sku: ['sku', 'SKU'],
  variant_id: ['variant_id', 'variantId', 'variant'],
  name: ['name', 'product_name', 'title', 'item_name', 'ProductName'],
  category: ['category', 'product_category', 'item_category', 'product_type'],
  currency: ['currency'],
  image_url: ['image_url', 'imageUrl', 'image', 'ImageURL'],
  url: ['product_url', 'url', 'URL'],
} as const satisfies Partial<Record<keyof Item, readonly string[]>>;
const LISTS = ['products', 'items', 'line_items'];
const textCharsKept = 300;
const itemsReadMax = 20;

/** The items of an event: a list, or the event itself. */
export function itemsOf(properties: JsonObject): readonly CartLine[] {
  for (const key of LISTS) {
    const list = valueAt(properties, key);
    if (Array.isArray(list)) {
      return list
        .slice(0, itemsReadMax)
        .flatMap((entry: unknown) => (isJsonObject(entry) ? itemOf(entry) : []));
    }
  }
  return itemOf(properties);
}

function itemOf(from: JsonObject): readonly CartLine[] {
  const item: Record<string, string | number> = {};
  for (const [field, names] of Object.entries(FIELDS)) {
    const text = textOf(from, names);
    if (text !== undefined) item[field] = text;
  }
  const price = amountOf(from, ['price', 'item_price']);
  if (price !== undefined) item['price'] = price;
  if (identityOf(item) === undefined) return [];
  return [{ ...item, quantity: amountOf(from, ['quantity', 'qty']) ?? 1 }];
}

/** What tells one item from another. */
export function identityOf({
  variant_id: variant,
  sku,
  product_id: product,
  name,
}: Item): string | undefined {
  return variant ?? sku ?? product ?? name;
}

/** Of an amount whose currency is no code: shops send signs, names and what a template left. */
const CURRENCY_OTHER = 'other';

/** The total of an order as text, and its currency: a code of ISO 4217's shape, so that sums have as many as there are. */
export function totalOf(properties: JsonObject): {
  readonly value: string | null;
  readonly currency: string | null;
} {
  const value = amountOf(properties, [
    'total',
    'value',
    'revenue',
    'order_total',
    'total_price',
    'cart_value',
  ]);
  const sent = textOf(properties, ['currency'])?.trim().toUpperCase();
  const currency = sent === undefined ? null : /^[A-Z]{3}$/.test(sent) ? sent : CURRENCY_OTHER;
  return { value: value === undefined ? null : String(value), currency };
}

function textOf(from: JsonObject, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = valueAt(from, name);
    if (typeof value === 'string' && value !== '') return value.slice(0, textCharsKept);
    if (typeof value === 'number') return String(value);
    if (value instanceof ExactNumber) return value.text.slice(0, textCharsKept);
  }
  return undefined;
}

/** A number, or a text that is one: shops send both. */
function amountOf(from: JsonObject, names: readonly string[]): number | undefined {
  for (const name of names) {
    const value = valueAt(from, name);
    const sent = value instanceof ExactNumber ? value.text : value;
    const amount = typeof sent === 'string' && sent.trim() !== '' ? Number(sent) : sent;
    if (typeof amount === 'number' && Number.isFinite(amount)) return amount;
  }
  return undefined;
}
