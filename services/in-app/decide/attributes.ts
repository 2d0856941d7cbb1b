/** What conditions and texts may ask of a visitor by name. */
import { valueAt, type JsonObject } from '../../rules/paths.ts';
import type { Visitor } from './visitor.ts';

/** undefined: not set. What the stream says goes before what an identify has set under the same name. */
export function attributeAt(visitor: Visitor, path: string): unknown {
  return valueAt(attributesOf(visitor), path);
}

/** All messages of a poll ask about one visitor. */
const known = new WeakMap<Visitor, JsonObject>();

export function attributesOf(visitor: Visitor): JsonObject {
  let attributes = known.get(visitor);
  if (attributes === undefined) {
    attributes = madeOf(visitor);
    known.set(visitor, attributes);
  }
  return attributes;
}

function madeOf(visitor: Visitor): JsonObject {
  return {
    ...visitor.attributes,
    page_views: visitor.pages,
    session_page_views: visitor.sessionPages,
    sessions: visitor.sessions,
    returning: visitor.sessions > 1,
    first_seen_at: visitor.firstAt === 0 ? undefined : visitor.firstAt / 1_000,
    last_seen_at: visitor.lastAt === 0 ? undefined : visitor.lastAt / 1_000,
    timezone: visitor.timezone ?? undefined,
    category_affinity: affinityOf(visitor),
    last_item: visitor.items[0],
    cart: cartOf(visitor),
    orders: visitor.orders,
    last_order_at: visitor.lastOrderAt === null ? undefined : visitor.lastOrderAt / 1_000,
  };
}

/** The category of most products looked at; of two alike the one looked at first. */
function affinityOf({ categories }: Visitor): string | undefined {
  let best: string | undefined;
  let most = 0;
  for (const [category, count] of Object.entries(categories)) {
    if (count <= most) continue;
    best = category;
    most = count;
  }
  return best;
}

export function cartOf({ cart }: Visitor) {
  const value = cart.reduce((sum, { price = 0, quantity }) => sum + price * quantity, 0);
  return {
    items: cart,
    item_count: cart.reduce((sum, { quantity }) => sum + quantity, 0),
    value: Math.round(value * 100) / 100,
    currency: cart.find(({ currency }) => currency !== undefined)?.currency,
  };
}

/** What texts are filled in with. */
export function textData(visitor: Visitor): JsonObject {
  const { items } = visitor;
  return { items, last_item: items[0] ?? {}, cart: cartOf(visitor), visitor: attributesOf(visitor) };
}
