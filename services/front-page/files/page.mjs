/** Wires the page: who is signed in, and what of which workspace is shown. */
import { followCalls } from './calls.mjs';
import { byId, copyOnClick, element } from './element.mjs';
import { showKeys } from './keys.mjs';
import { showOnSite } from './on-site.mjs';
import { showRefusals } from './refusals.mjs';
import { signInByKey, signInByLink, signOut } from './sign-in.mjs';
import { snippetsFor } from './snippets.mjs';
import { showStory } from './story.mjs';

/** @typedef {import('./sign-in.mjs').Workspaces} Workspaces */

const healthPauseMs = 10_000;
const refusalsPauseMs = 1_000;
const onSitePauseMs = 5_000;
const address = new URL('.', location.href).href.replace(/\/$/, '');

/** Ends what follows the workspace that was shown before. */
let shown = new AbortController();

/** @param {{ workspaces?: Workspaces, fault?: string }} who */
function enter({ workspaces, fault }) {
  const isIn = workspaces !== undefined;
  byId('sign-in').hidden = isIn;
  byId('inside').hidden = !isIn;
  byId('sign-out').hidden = !isIn;
  byId('sign-in-fault').textContent = fault ?? '';
  if (!isIn) return;
  const choice = /** @type {HTMLSelectElement} */ (byId('workspace'));
  const names = Object.keys(workspaces);
  choice.replaceChildren(...names.map((name) => element('option', { value: name }, name)));
  byId('workspace-choice').hidden = false;
  choice.onchange = () => show(workspaces[choice.value] ?? {});
  show(workspaces[choice.value] ?? {});
}

/** @param {import('./sign-in.mjs').Keys} keys */
function show(keys) {
  shown.abort();
  shown = new AbortController();
  const appKey = keys['app_key'] ?? '';
  byId('address').textContent = address;
  showKeys(keys);
  showSnippets(keys);
  let isDue = false;
  const refused = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(() => {
      isDue = false;
      void showRefusals(appKey);
    }, refusalsPauseMs);
  };
  void showRefusals(appKey);
  void showOnSite(appKey);
  const asking = setInterval(() => void showOnSite(appKey), onSitePauseMs);
  shown.signal.addEventListener('abort', () => clearInterval(asking));
  void followCalls({
    appKey,
    signal: shown.signal,
    onStory: (call) => void showStory(appKey, call),
    onRefused: refused,
    onOut: () => leave('The app key has ended. Sign in with another one.'),
  });
}

/** @param {string} [fault] */
function leave(fault) {
  shown.abort();
  signOut();
  byId('workspace-choice').hidden = true;
  enter(fault === undefined ? {} : { fault });
  byId('app-key').focus();
}

/** @param {import('./sign-in.mjs').Keys} keys */
function showSnippets(keys) {
  const tabs = byId('tabs');
  const chosen = tabs.querySelector('[aria-selected=true]')?.id ?? 'tab-curl';
  const made = snippetsFor({ address, keys }).map((snippet) => {
    const id = `tab-${snippet.id}`;
    const tab = element(
      'button',
      { type: 'button', role: 'tab', id, 'aria-controls': 'snippet' },
      snippet.title,
    );
    tab.addEventListener('click', () => choose(tab, snippet));
    return { tab, snippet };
  });
  tabs.replaceChildren(...made.map(({ tab }) => tab));
  tabs.onkeydown = ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const at = made.findIndex(({ tab }) => tab === document.activeElement);
    const next = step === undefined || at < 0 ? undefined : made.at((at + step) % made.length);
    if (next === undefined) return;
    choose(next.tab, next.snippet);
    next.tab.focus();
  };
  const first = made.find(({ tab }) => tab.id === chosen) ?? made[0];
  if (first !== undefined) choose(first.tab, first.snippet);
}

/**
 * @param {HTMLElement} chosen
 * @param {import('./snippets.mjs').Snippet} snippet
 */
function choose(chosen, { note, code }) {
  for (const tab of byId('tabs').children) {
    tab.setAttribute('aria-selected', String(tab === chosen));
    tab.setAttribute('tabindex', tab === chosen ? '0' : '-1');
  }
  const copy = element('button', { type: 'button' }, 'Copy');
  copyOnClick(copy, () => code);
  const panel = byId('snippet');
  panel.setAttribute('aria-labelledby', chosen.id);
  panel.replaceChildren(
    element('p', { class: 'heading' }, element('span', { class: 'note' }, note), copy),
    element('pre', { tabindex: '0' }, element('code', {}, code)),
  );
}

const startingMs = 120_000;

/** @param {{ up_ms?: number } | undefined} body */
function isStarting(body) {
  return typeof body?.up_ms === 'number' && body.up_ms < startingMs;
}

async function showHealth() {
  const health = byId('health');
  const answer = await fetch('health/ready').catch(() => undefined);
  const body = await answer?.json().catch(() => undefined);
  const parts = Object.entries(body?.parts ?? {});
  const missing = parts.filter(([, part]) => !(/** @type {any} */ (part).ok)).map(([name]) => name);
  health.className = `pill ${answer?.ok === true ? 'good' : 'bad'}`;
  health.textContent =
    answer === undefined
      ? 'the gateway does not answer'
      : answer.ok
        ? `ready: all ${String(parts.length)} parts`
        : `not ready: ${missing.join(', ')}${isStarting(body) ? ' (starting: this passes within a minute or two)' : ''}`;
}

byId('sign-in-form').addEventListener('submit', async (submitted) => {
  submitted.preventDefault();
  const field = /** @type {HTMLInputElement} */ (byId('app-key'));
  const who = await signInByKey(field.value.trim());
  field.value = '';
  enter(who);
});
byId('sign-out').addEventListener('click', () => leave());
for (const button of document.querySelectorAll('[data-copy]')) {
  const from = button.getAttribute('data-copy') ?? '';
  copyOnClick(/** @type {HTMLElement} */ (button), () => byId(from).textContent ?? '');
}
enter(await signInByLink());
void showHealth();
setInterval(() => void showHealth(), healthPauseMs);
