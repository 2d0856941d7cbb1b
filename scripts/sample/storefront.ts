/** The sample storefront: what its visitors do, call by call. Deterministic in (seed, visitors, now, run). */
import { Random } from '../../services/testing/random.ts';
import { ulid, uuid } from './seeded-ids.ts';

export type Call = EventCall | IdentifyCall | RepeatCall;
/** Which unmodified client sends it: @customerio/cdp-analytics-node or customerio-node. */
export type Via = 'pipelines' | 'track';

export interface EventCall {
  readonly type: 'event' | 'page';
  readonly via: Via;
  readonly anonymousId: string | null;
  readonly userId: string | null;
  readonly name: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly messageId: string;
  /** ms; the Track API carries whole seconds. */
  readonly timestamp: number;
}
export interface IdentifyCall {
  readonly type: 'identify';
  readonly via: Via;
  readonly anonymousId: string | null;
  readonly userId: string;
  readonly traits: Readonly<Record<string, unknown>>;
  readonly messageId: string;
  readonly timestamp: number;
}
/** A client that sends an event again, under the same message id. */
export interface RepeatCall {
  readonly type: 'repeat';
  readonly of: EventCall;
}

export interface Visitor {
  readonly number: number;
  readonly kind: 'browser' | 'buyer' | 'quiz' | 'two-devices' | 'leaver' | 'shared-device' | 'bot';
  /** In the order in which they are made. */
  readonly calls: readonly Call[];
}

export interface StorefrontOptions {
  readonly seed: number;
  readonly visitors: number;
  /** The end of everybody's last session, ms. */
  readonly now: number;
  /** Goes into every id, so that a storefront can be played again into the same workspace. */
  readonly run: string;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ORIGIN = 'https://shop.example';
const CAMPAIGNS = ['spring', 'retargeting', 'newsletter'] as const;
const SOURCES = ['google', 'tiktok', 'newsletter', 'direct'] as const;
interface Product {
  readonly product_id: string;
  readonly variant_id: string;
  readonly name: string;
  readonly category: string;
  readonly price: number;
}
const PRODUCTS: readonly [Product, ...Product[]] = [
  { product_id: 'p-boots', variant_id: 'v-42', name: 'Leather boots', category: 'shoes', price: 129.9 },
  { product_id: 'p-sneakers', variant_id: 'v-38', name: 'Canvas sneakers', category: 'shoes', price: 59.5 },
  { product_id: 'p-parka', variant_id: 'v-m', name: 'Winter parka', category: 'coats', price: 219 },
  { product_id: 'p-scarf', variant_id: 'v-one', name: 'Wool scarf', category: 'accessories', price: 24.25 },
  { product_id: 'p-bag', variant_id: 'v-black', name: 'City bag', category: 'accessories', price: 89 },
];

export function makeStorefront(options: StorefrontOptions): Visitor[] {
  return Array.from({ length: options.visitors }, (_, index) => makeVisitor(options, index + 1));
}

function makeVisitor({ seed, now, run }: StorefrontOptions, number: number): Visitor {
  const random = new Random(seed * 1_000_003 + number);
  const kind = kindOf(random, number);
  const script = new Script(random, `${run}-${String(number)}`, random.chance(0.75) ? 'pipelines' : 'track');
  const lastSession = now - random.between(5, 170) * MINUTE;
  if (kind === 'bot') script.crawl(lastSession);
  else if (kind === 'browser') script.visit(lastSession).shop();
  else if (kind === 'leaver') script.visit(lastSession).shop().signIn().order().signOut().shop();
  else if (kind === 'quiz') script.visit(lastSession).quiz().signIn().shop();
  else if (kind === 'shared-device')
    script.visit(lastSession).shop().signIn().order().signInAsAnother().shop();
  else if (kind === 'two-devices') {
    script
      .visit(lastSession - random.between(2, 5) * DAY)
      .shop()
      .signIn();
    script.otherDevice().visit(lastSession).shop().signIn().order();
  } else script.visit(lastSession).shop().checkout().signIn().order();
  return { number, kind, calls: script.calls };
}

function kindOf(random: Random, number: number): Visitor['kind'] {
  if (number === 1) return 'buyer'; // whose story is told
  const at = random.next();
  if (at < 0.5) return 'browser';
  if (at < 0.7) return 'buyer';
  if (at < 0.78) return 'quiz';
  if (at < 0.86) return 'two-devices';
  if (at < 0.92) return 'leaver';
  return at < 0.96 ? 'shared-device' : 'bot';
}

/** Writes one visitor's calls; each method is something that a visitor does. */
class Script {
  readonly calls: Call[] = [];
  readonly #random: Random;
  readonly #tag: string;
  #via: Via;
  #anonymousId: string;
  #userId: string | null = null;
  #people = 0;
  #clock = 0;
  #identified = false;

  constructor(random: Random, tag: string, via: Via) {
    this.#random = random;
    this.#tag = tag;
    this.#via = via;
    this.#anonymousId = `${tag}-${uuid(random)}`;
  }

  visit(at: number): this {
    this.#clock = at;
    const source = this.#random.pick(SOURCES);
    const campaign = source === 'direct' ? {} : { utm_campaign: this.#random.pick(CAMPAIGNS) };
    this.#page('/', {
      referrer: source === 'direct' ? '' : `https://${source}.example/`,
      utm_source: source,
      ...campaign,
    });
    return this;
  }

  shop(): this {
    if (this.#random.chance(0.3))
      this.#event('Products Searched', { query: this.#random.pick(['boots', 'gift', 'coat']) });
    for (let i = this.#random.between(1, 4); i > 0; i -= 1) {
      const product = this.#random.pick(PRODUCTS);
      this.#page(`/products/${product.product_id}`, {});
      this.#event('Product Viewed', { ...product });
      if (this.#random.chance(0.35)) this.#addToCart(product);
    }
    return this;
  }

  quiz(): this {
    this.#event('Quiz Completed', {
      quiz: 'find-your-fit',
      result: this.#random.pick(['urban', 'alpine']),
      answers: [1, 3, 2],
    });
    this.#event('Email Captured', { source: 'quiz' });
    return this;
  }

  checkout(): this {
    this.#addToCart(this.#random.pick(PRODUCTS));
    this.#event('Checkout Started', {
      cart_value: 149.9,
      currency: 'EUR',
      item_count: 2,
      shipping_country: 'DE',
    });
    return this;
  }

  signIn(): this {
    this.#userId ??= this.#newPerson();
    this.#identify();
    if (this.#random.chance(0.25)) this.#identify(); // a browser identifies on every page
    return this;
  }

  /** Another person signs in on the same device, and the client keeps its anonymous id. */
  signInAsAnother(): this {
    this.#userId = this.#newPerson();
    this.#identify();
    return this;
  }

  order(): this {
    this.#event('Order Completed', {
      order_id: `${this.#tag}-o1`,
      total: 149.9,
      currency: 'EUR',
      items: [{ sku: 'p-boots', quantity: 1 }],
    });
    return this;
  }

  signOut(): this {
    this.#userId = null;
    this.#identified = false;
    this.#anonymousId = `${this.#tag}-${uuid(this.#random)}`;
    return this;
  }

  otherDevice(): this {
    this.#anonymousId = `${this.#tag}-${uuid(this.#random)}`;
    this.#identified = false;
    this.#via = 'track';
    return this;
  }

  crawl(at: number): this {
    this.#clock = at;
    for (let i = this.#random.between(20, 60); i > 0; i -= 1) {
      this.#clock += 150;
      this.#page(`/products/${this.#random.pick(PRODUCTS).product_id}`, { bot: true });
    }
    return this;
  }

  #addToCart(product: Product): void {
    const call = this.#event('Added to Cart', {
      ...product,
      quantity: 1,
      cart_value: product.price,
      currency: 'EUR',
    });
    if (this.#random.chance(0.1)) this.calls.push({ type: 'repeat', of: call });
  }

  #newPerson(): string {
    this.#people += 1;
    return `${this.#tag}-person-${String(this.#people)}`;
  }

  #identify(): void {
    const userId = this.#userId ?? this.#newPerson();
    this.#tick();
    this.#identified = true;
    this.calls.push({
      type: 'identify',
      via: this.#via,
      anonymousId: this.#anonymousId,
      userId,
      traits: { email: `${userId}@mail.example`, plan: this.#random.pick(['free', 'club']) },
      messageId: this.#messageId(),
      timestamp: this.#clock,
    });
  }

  #page(path: string, properties: Readonly<Record<string, unknown>>): void {
    this.#push('page', ORIGIN + path, { url: ORIGIN + path, path, title: 'Shop', ...properties });
  }
  #event(name: string, properties: Readonly<Record<string, unknown>>): EventCall {
    return this.#push('event', name, properties);
  }

  #push(type: EventCall['type'], name: string, properties: Readonly<Record<string, unknown>>): EventCall {
    this.#tick();
    // After the identify some clients still send only the anonymous id; within five minutes that is the person's.
    const withUser =
      this.#userId !== null &&
      !(this.#identified && this.#via === 'pipelines' && this.#people === 1 && this.#random.chance(0.3));
    const call: EventCall = {
      type,
      via: this.#via,
      anonymousId: this.#via === 'track' && withUser ? null : this.#anonymousId,
      userId: withUser ? this.#userId : null,
      name,
      properties,
      messageId: this.#messageId(),
      timestamp: this.#clock,
    };
    this.calls.push(call);
    return call;
  }

  #messageId(): string {
    return this.#via === 'track' ? ulid(this.#random, this.#clock) : `${this.#tag}-${uuid(this.#random)}`;
  }
  #tick(): void {
    this.#clock += this.#random.between(1_000, 40_000);
  }
}
