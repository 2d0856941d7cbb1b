/** A visitor as they are stored: what is not as of a new one, packed. Whose they are stands in the key. */
import { newVisitor, type Visitor } from './decide/visitor.ts';
import { pack, unpack, Words } from './packed.ts';

/** What visitors are made of. Stored visitors have the words' numbers: none goes, and new ones are added apart (packed.ts). */
const words = new Words([
  ...['firstAt', 'lastAt', 'sessions', 'sessionAt', 'pages', 'sessionPages', 'lastPageAt', 'attributes'],
  ...[
    'timezone',
    'items',
    'cart',
    'categories',
    'orders',
    'lastOrderAt',
    'isBot',
    'isIdentified',
    'personId',
  ],
  ...['hasWithdrawn', 'linkedId', 'rules', 'ledgers', 'groups', 'lastShownAt', 'open', 'answered'],
  ...[
    'product_id',
    'sku',
    'variant_id',
    'name',
    'category',
    'price',
    'currency',
    'image_url',
    'url',
    'quantity',
  ],
  ...[
    'version',
    'marks',
    '/audience',
    'shown',
    'times',
    'variant',
    'clickedAt',
    'dismissedAt',
    'submittedAt',
  ],
  ...['snoozedUntil', 'heldOutAt', 'counted', 'exposure', 'messageId', 'reason', 'reports', 'at', 'default'],
  ...[
    'utm_source',
    'utm_medium',
    'utm_campaign',
    'utm_term',
    'utm_content',
    'locale',
    'country',
    'device_type',
  ],
  ...[
    'landing_page',
    'referrer',
    'mobile',
    'desktop',
    'EUR',
    'USD',
    'GBP',
    'held_out',
    'dismissed',
    'clicked',
  ],
]);

const EMPTY = newVisitor('');

export function visitorBytes(visitor: Visitor): Buffer {
  const kept: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(visitor)) {
    if (key !== 'anonymousId' && !isAsNew(value, EMPTY[key as keyof Visitor])) kept[key] = value;
  }
  return pack(kept, words);
}

export function visitorFrom(bytes: Buffer, anonymousId: string): Visitor {
  return { ...EMPTY, ...(unpack(bytes, words) as Partial<Visitor>), anonymousId }; // what visitorBytes made
}

/** A new visitor has nothing but empty lists and objects, and plain values. */
function isAsNew(value: unknown, empty: unknown): boolean {
  if (value === empty) return true;
  if (typeof value !== 'object' || value === null || typeof empty !== 'object') return false;
  return Object.keys(value).length === 0;
}
