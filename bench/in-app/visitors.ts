/** Visitors of a shop for the bench of on-site messages: what each did, and the messages that wait for them. */
import { toWorkspace } from '../../schemas/ids.ts';
import { laneKey } from '../../schemas/lanes.ts';
import { collectedEvent } from '../../schemas/collected-event.ts';
import type { CollectedEvent } from '../../schemas/records.ts';

const workspace = toWorkspace('default');
export const AGENT = 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0';
const PRODUCTS = 500;
const shop = 'https://shop.example';

/** Ids of browsers come in no order. Odd, so that no two numbers below 2^32 give the same. */
const SCATTERS = 0x9e37_79b1;

export function visitorId(index: number): string {
  const scattered = Math.imul(index, SCATTERS) >>> 0;
  return `${scattered.toString(16).padStart(8, '0')}-5b1e-4c9a-9f00-0242ac120002`;
}

export interface Visit {
  readonly key: Buffer;
  readonly event: CollectedEvent;
}

/** A landing page, two products looked at, one put into the cart. */
export function visitsOf(index: number, at: number): readonly Visit[] {
  const anonymousId = visitorId(index);
  const key = Buffer.from(laneKey(workspace, { anonymousId, identifier: null, messageId: '' }));
  const products = [index % PRODUCTS, (index * 7) % PRODUCTS].map((product) => ({
    sku: `p-${String(product)}`,
    name: `Product ${String(product)}`,
    category: `category-${String(product % 12)}`,
    price: 20 + (product % 80),
    currency: 'EUR',
    url: `${shop}/products/p-${String(product)}`,
  }));
  const url = `${shop}/?utm_source=mail`;
  const context = {
    userAgent: AGENT,
    locale: 'en-GB',
    timezone: 'Europe/London',
    campaign: { source: 'mail' },
    page: { url, referrer: 'https://search.example/' },
  };
  const told = [
    { type: 'page', name: url, properties: { url } },
    ...products.map((properties) => ({ type: 'event' as const, name: 'Product Viewed', properties })),
    { type: 'event', name: 'Added to Cart', properties: { ...products[0], quantity: 1 } },
  ] as const;
  return told.map(({ type, name, properties }, step) => ({
    key,
    event: collectedEvent({
      workspace,
      type,
      name,
      anonymous_id: anonymousId,
      identifier_kind: 'none',
      message_id: `m-${String(index)}-${String(step)}`,
      received_at: at + step,
      timestamp: at + step,
      source: 'bench',
      properties: JSON.stringify(properties),
      context: JSON.stringify(context),
    }),
  }));
}

const content = {
  kind: 'overlay',
  title: 'Still thinking of {{ last_item.name }}?',
  body: 'It is kept for you.',
};
const base = { state: 'running', content, caps: { session: 1, day: 2, group: 'nudges' }, holdout: 0.1 };
const stalled = (event: string, without: string, after: string) => ({
  event,
  without: { event: without },
  for: after,
  within: 'PT24H',
});

/** Of a shop: two stalls, browsing, a return. `due` fires ten seconds after its event. */
export const messages: Readonly<Record<string, object>> = {
  cart: { ...base, name: 'cart', audience: stalled('Added to Cart', 'Checkout Started', 'PT10M') },
  checkout: { ...base, name: 'checkout', audience: stalled('Checkout Started', 'Order Completed', 'PT10M') },
  depth: {
    ...base,
    name: 'depth',
    audience: { event: 'Product Viewed', count: { distinct: 'sku', at_least: 3 } },
  },
  back: {
    ...base,
    name: 'back',
    audience: { attribute: 'returning', operator: 'eq', value: true },
    pages: [{ contains: '/products/' }],
  },
  due: { ...base, holdout: 0, name: 'due', audience: stalled('Asked for Help', 'Helped', 'PT10S') },
};
