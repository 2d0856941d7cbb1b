/**
 * The sample shop and the story beside it. The left side is what a shop's page does: it loads the library, tells pages and
 * events, and knows nothing of messages. The right side asks what the server knows, and draws that and nothing else: no
 * step is done because a button was pressed.
 */
const { siteId, key } = document.currentScript.dataset;
const products = [
  { product_id: 'p-boots', variant_id: 'v-42', name: 'Leather boots', category: 'shoes', price: 129.9 },
  { product_id: 'p-sneakers', variant_id: 'v-38', name: 'Canvas sneakers', category: 'shoes', price: 59.5 },
  { product_id: 'p-parka', variant_id: 'v-m', name: 'Winter parka', category: 'coats', price: 219 },
  { product_id: 'p-scarf', variant_id: 'v-one', name: 'Wool scarf', category: 'accessories', price: 24.25 },
  { product_id: 'p-bag', variant_id: 'v-black', name: 'City bag', category: 'accessories', price: 89 },
];
const currency = 'EUR';
const askMs = 1000;
/** Longer than that is told. */
const patienceMs = 4000;
const at = (id) => document.getElementById(id);
const cart = [];

const waiting = (window.analytics = [['page']]);
waiting._writeKey = key;
waiting._loadOptions = { integrations: { 'Customer.io In-App Plugin': { siteId, anonymousInApp: true } } };
const library = document.createElement('script');
// The library reads from it where it came from, so it is whole.
library.src = `${location.origin}/v1/analytics-js/snippet/${key}/analytics.min.js`;
document.head.append(library);

const openedAt = Date.now();
/** When something was told last, and when the server was seen to know more. */
let [toldAt, knownAt] = [0, 0];
let known = '';

/** Once the library is there window.analytics is it; what is said before waits in the list. */
function tell(method, ...said) {
  toldAt = Date.now();
  const { analytics: current } = window;
  if (typeof current[method] === 'function') current[method](...said);
  else current.push([method, ...said]);
}

function priced({ price }) {
  return `${price.toFixed(2)} ${currency}`;
}

function drawProducts() {
  const cards = products.map((product) => {
    const card = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.product = product.product_id;
    button.append(product.name, document.createElement('br'), priced(product));
    button.addEventListener('click', () => look(product));
    card.append(button);
    return card;
  });
  at('products').replaceChildren(...cards);
}

let looked;
function look(product) {
  looked = product;
  history.replaceState(null, '', `#${product.product_id}`);
  at('product-name').textContent = product.name;
  at('product-price').textContent = priced(product);
  at('product').hidden = false;
  tell('page');
  tell('track', 'Product Viewed', { ...product, currency, shop: 'demo' });
}

function put() {
  cart.push(looked);
  const value = cart.reduce((sum, { price }) => sum + price, 0);
  drawCart(value);
  tell('track', 'Added to Cart', { ...looked, quantity: 1, cart_value: value, currency, shop: 'demo' });
}

function drawCart(value) {
  const names = cart.map(({ name }) => name).join(', ');
  at('cart').textContent =
    cart.length === 0 ? 'Nothing is in it.' : `${names}: ${value.toFixed(2)} ${currency}`;
  at('order').disabled = cart.length === 0;
}

function order() {
  const total = cart.reduce((sum, { price }) => sum + price, 0);
  tell('track', 'Order Completed', { total, currency, item_count: cart.length, shop: 'demo' });
  cart.length = 0;
  drawCart(0);
}

/** What they did, in its order; each event once, by the last that became of it. */
function eventsOf(steps) {
  const events = new Map();
  for (const step of steps) {
    if (!['received', 'waiting', 'merged'].includes(step.stage)) continue;
    events.set(step.message_id, { ...events.get(step.message_id), ...step, stage: step.stage });
  }
  return [...events.values()];
}

function drawStory(steps) {
  const lines = eventsOf(steps).map((step) => {
    const line = document.createElement('li');
    const what = document.createElement('small');
    const isMine = step.stage === 'merged';
    line.className = isMine ? 'mine' : '';
    what.textContent = isMine
      ? step.detail?.previously_anonymous === true
        ? 'from before you were known; on your profile now'
        : 'on your profile'
      : 'nobody’s: it waits for whoever this turns out to be';
    line.append(step.detail?.type === 'page' ? 'Page' : (step.name ?? 'Who you are'), what);
    return line;
  });
  const joined = steps
    .filter(({ stage }) => stage === 'segment' || stage === 'journey')
    .map(({ stage, name, detail }) => {
      const line = document.createElement('li');
      line.className = 'mine';
      line.textContent = `${stage} ${name ?? detail?.segment_id ?? detail?.journey_id ?? ''}`;
      return line;
    });
  at('story').replaceChildren(...lines, ...joined);
}

function drawSteps(steps, message) {
  const has = (test) => steps.some(test);
  const isDone = {
    viewed: has(({ name }) => name === 'Product Viewed'),
    added: has(({ name }) => name === 'Added to Cart'),
    shown: (message?.exposures?.total ?? 0) > 0,
    claimed: has(({ stage }) => stage === 'claimed'),
    merged: has(({ stage, detail }) => stage === 'merged' && detail?.previously_anonymous === true),
    segment: has(({ stage }) => stage === 'segment') && has(({ stage }) => stage === 'journey'),
  };
  for (const line of document.querySelectorAll('[data-step]')) {
    line.classList.toggle('done', isDone[line.dataset.step]);
  }
}

function drawWho(steps, anonymousId) {
  const isKnown = steps.some(({ stage }) => stage === 'merged');
  at('who').textContent = isKnown
    ? 'A person, whom the shop knows. What they did before is on their profile.'
    : `A visitor, ${anonymousId}. Who that is, nobody knows.`;
}

const longerThanUsual =
  'What you did last is on its way for longer than usual. A busy machine takes its time; nothing is lost.';

/** What is wrong, if anything is: after seconds without a word nobody knows. Draws what the server knows. */
async function whatIsWrong() {
  const anonymousId = window.analytics.user?.()?.anonymousId();
  if (anonymousId === undefined)
    return isLongSince(openedAt) ? 'The script of the page has not come yet.' : '';
  try {
    const answer = await fetch(`/demo/story?anonymous_id=${encodeURIComponent(anonymousId)}`);
    if (!answer.ok) return `Hindsight could not answer (${answer.status}). It is asked again each second.`;
    const { trace, message } = await answer.json();
    const steps = trace?.steps ?? [];
    drawWho(steps, anonymousId);
    drawStory(steps);
    drawSteps(steps, message);
    const now = JSON.stringify(steps);
    if (now !== known) [known, knownAt] = [now, Date.now()];
    return toldAt > knownAt && isLongSince(toldAt) ? longerThanUsual : '';
  } catch {
    return 'Hindsight does not answer. It is asked again each second.';
  }
}

function isLongSince(time) {
  return Date.now() - time >= patienceMs;
}

async function ask() {
  if (!document.hidden) {
    const wrong = await whatIsWrong();
    if (at('wrong').textContent !== wrong) at('wrong').textContent = wrong;
  }
  setTimeout(ask, askMs);
}

drawProducts();
at('add').addEventListener('click', put);
at('order').addEventListener('click', order);
at('back').addEventListener('click', () => {
  at('product').hidden = true;
  history.replaceState(null, '', location.pathname);
  tell('page');
});
at('again').addEventListener('click', () => {
  tell('reset');
  location.replace(location.pathname);
});
void ask();
