/** Writes one visitor's calls; each method is something that a visitor does, or that the shop does for them. */
import type { Random } from '../../services/testing/random.ts';
import type { Call, EventCall, Via } from './calls.ts';
import { rules } from './rules.ts';
import { ulid, uuid } from './seeded-ids.ts';

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

const CRAWLER = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';
/** What an order is worth whose cart was filled on another device. */
const FROM_THE_LAST_PAGE = 49.9;
type Json = Readonly<Record<string, unknown>>;
interface Told {
  readonly properties: Json;
  readonly context?: Json | undefined;
}

export class VisitorScript {
  readonly calls: Call[] = [];
  readonly #random: Random;
  readonly #tag: string;
  #via: Via;
  #anonymousId: string;
  /** Who is signed in here, and who signs in. */
  #userId: string | null = null;
  #account: string | null = null;
  #people = 0;
  #clock = 0;
  #cart = 0;
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
    const name = this.#random.pick(CAMPAIGNS);
    const referrer = { referrer: source === 'direct' ? '' : `https://${source}.example/` };
    // As clients in pages read it from utm_source and utm_campaign.
    if (source === 'direct') this.#page('/', referrer);
    else
      this.#page(
        '/',
        { ...referrer, utm_source: source, utm_campaign: name },
        { campaign: { source, name } },
      );
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

  /** In the page; the shop's back end, which speaks the Track API, shows none. */
  lookAtMessage(probability: number): this {
    const isShown = this.#random.chance(probability);
    const isClicked = this.#random.chance(0.5);
    const exposure = uuid(this.#random);
    const anonymousId = this.#anonymousId;
    if (isShown) this.calls.push({ type: 'show', anonymousId, exposure, page: `${ORIGIN}/`, isClicked });
    return this;
  }

  /** The shop sends what the journey is for, and reports it, as long as nothing does so by itself. */
  reminded(probability: number): this {
    if (!this.#random.chance(probability) || this.#userId === null) return this;
    this.#tick();
    this.calls.push({
      type: 'event',
      via: 'track',
      anonymousId: null,
      userId: this.#userId,
      name: 'Message Sent',
      properties: { journey_id: rules.journey.id, channel: 'email' },
      messageId: ulid(this.#random, this.#clock),
      timestamp: this.#clock,
    });
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
      cart_value: this.#cart,
      currency: 'EUR',
      item_count: 2,
      shipping_country: 'DE',
    });
    return this;
  }

  signIn(): this {
    this.#userId = this.#account ??= this.#newPerson();
    this.#identify();
    if (this.#random.chance(0.25)) this.#identify(); // a browser identifies on every page
    return this;
  }

  /** Another person signs in on the same device, and the client keeps its anonymous id. */
  signInAsAnother(): this {
    this.#userId = this.#account = this.#newPerson();
    this.#identify();
    return this;
  }

  order(): this {
    this.#event('Order Completed', {
      order_id: `${this.#tag}-o1`,
      total: this.#cart === 0 ? FROM_THE_LAST_PAGE : this.#cart,
      currency: 'EUR',
      items: [{ sku: 'p-boots', quantity: 1 }],
    });
    this.#cart = 0;
    return this;
  }

  signOut(): this {
    this.#account = null;
    return this.#onNewDevice();
  }

  /** The same person, whom this one does not know yet. */
  otherDevice(): this {
    this.#via = 'track';
    return this.#onNewDevice();
  }

  #onNewDevice(): this {
    this.#userId = null;
    this.#identified = false;
    this.#anonymousId = `${this.#tag}-${uuid(this.#random)}`;
    return this;
  }

  crawl(at: number): this {
    this.#clock = at;
    this.#via = 'pipelines'; // the Track API carries no user agent
    for (let i = this.#random.between(20, 60); i > 0; i -= 1) {
      this.#clock += 150;
      this.#page(`/products/${this.#random.pick(PRODUCTS).product_id}`, {}, { userAgent: CRAWLER });
    }
    return this;
  }

  #addToCart(product: Product): void {
    this.#cart = Math.round((this.#cart + product.price) * 100) / 100;
    const call = this.#event('Added to Cart', {
      ...product,
      quantity: this.#via === 'track' ? '1' : 1, // two versions of one shop: what drifts
      cart_value: this.#cart,
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

  #page(path: string, properties: Json, context?: Json): void {
    const url = ORIGIN + path;
    this.#push('page', url, { properties: { url, path, title: 'Shop', ...properties }, context });
  }
  #event(name: string, properties: Json): EventCall {
    return this.#push('event', name, { properties });
  }

  #push(type: EventCall['type'], name: string, { properties, context }: Told): EventCall {
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
      ...(context !== undefined && this.#via === 'pipelines' && { context }),
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
