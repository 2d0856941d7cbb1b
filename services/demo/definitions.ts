/** What the sample shop's workspace has for the page: as an operator would store it, over the same routes. */
export interface DemoDefinition {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export const messageId = 'demo-cart';
/** Of a cart with which nothing more happens. A shop would say ten minutes; a newcomer waits ten seconds. */
const stall = { event: 'Added to Cart', without: { event: 'Order Completed' }, for: 'PT10S', within: 'PT1H' };

export const demoDefinitions: readonly DemoDefinition[] = [
  {
    path: `/v1/definitions/messages/${messageId}`,
    body: {
      name: 'A cart with which nothing happens',
      description: 'Of the page /demo: ten seconds after something was put into the cart, to who is unknown.',
      state: 'running',
      pages: [{ contains: '/demo' }],
      audience: stall,
      frequency: { mode: 'once' },
      content: {
        kind: 'overlay',
        position: 'bottom-left',
        title: 'Still thinking of {{ last_item.name }}?',
        body: 'Leave your email, and take ten percent off your cart of {{ cart.value }} {{ cart.currency }}.',
        form: { fields: ['email'], submit: 'Send me the code' },
        coupon: 'TENPERCENT',
        actions: [{ name: 'later', label: 'Not now', close: true }],
      },
    },
  },
  {
    path: '/v1/definitions/segments/demo-cart',
    body: {
      name: 'Put something into the cart of the page /demo',
      type: 'data_driven',
      when: { event: 'Added to Cart', where: [{ property: 'shop', operator: 'eq', value: 'demo' }] },
    },
  },
  {
    path: '/v1/definitions/journeys/demo-welcome',
    body: {
      name: 'Write to who left an email on the page /demo',
      state: 'running',
      trigger: { segment: 'demo-cart', on: 'enter' },
      frequency: { mode: 'once' },
    },
  },
];
