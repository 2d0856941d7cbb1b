/** Keys by kind, with what each is for. A secret is covered until it is asked for. */
import { byId, copyOnClick, element } from './element.mjs';

/** @typedef {import('./sign-in.mjs').Keys} Keys */

/** @type {readonly { kind: string, use: string, names: readonly string[] }[]} */
const kinds = [
  {
    kind: 'browser',
    use: 'Pages and apps: Pipelines. Public; may not delete, suppress or alias people.',
    names: ['browser_key'],
  },
  { kind: 'server', use: 'Your servers: Pipelines, every call.', names: ['write_key'] },
  {
    kind: 'track',
    use: 'Your servers: Track v1 and v2 (customerio-node). The site id is public, the API key is not.',
    names: ['site_id', 'api_key'],
  },
  {
    kind: 'app',
    use: 'Segments, journeys, traces, keys, this page.',
    names: ['app_key'],
  },
];

/** @param {Keys} keys what is known of them */
export function showKeys(keys) {
  byId('keys').replaceChildren(...kinds.map((each) => row(each, keys)));
  const isWhole = kinds.every(({ names }) => names.every((name) => keys[name] !== undefined));
  byId('keys-note').textContent = isWhole
    ? ''
    : 'A secret is shown once, when its key is made. Those of an installation of your own are in .hindsight/credentials.json; POST /v1/keys makes others.';
}

/**
 * @param {{ kind: string, use: string, names: readonly string[] }} kind
 * @param {Keys} keys
 */
function row({ kind, use, names }, keys) {
  const known = names.map((name) => secret(name, keys[name]));
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, element('span', { class: `kind ${kind}` }, kind)),
    element('td', {}, use),
    element('td', { class: 'secrets' }, ...known),
  );
}

/**
 * @param {string} name
 * @param {string | undefined} value
 */
function secret(name, value) {
  const label = element('code', { class: 'name' }, name);
  if (value === undefined) return element('div', { class: 'secret' }, label);
  const cover = `${value.slice(0, value.indexOf('_') + 1)}••••••${value.slice(-4)}`;
  const text = element('code', {}, cover);
  const show = element('button', { type: 'button', class: 'quiet', 'aria-pressed': 'false' }, 'Show');
  show.append(element('span', { class: 'unseen' }, ` ${name}`));
  const copy = element('button', { type: 'button', class: 'quiet' }, 'Copy');
  copy.append(element('span', { class: 'unseen' }, ` ${name}`));
  show.addEventListener('click', () => {
    const isShown = show.getAttribute('aria-pressed') === 'true';
    show.setAttribute('aria-pressed', String(!isShown));
    text.textContent = isShown ? cover : value;
  });
  copyOnClick(copy, () => value);
  return element('div', { class: 'secret' }, label, text, show, copy);
}
