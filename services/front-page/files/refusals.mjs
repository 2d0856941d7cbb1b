/** What this gateway did not take since it started (GET /v1/refusals), by reason, with the last of each. */
import { byId, element } from './element.mjs';
import { timeOf } from './calls.mjs';

/** @typedef {import('./calls.mjs').Call} Call */

/** @param {string} appKey */
export async function showRefusals(appKey) {
  const answer = await fetch('v1/refusals', { headers: { authorization: `Bearer ${appKey}` } });
  if (!answer.ok) return;
  /** @type {{ refusals: { count: number, reason: string, last: Call }[], unknown_key_calls_last_hour: number }} */
  const { refusals, unknown_key_calls_last_hour: unknown } = await answer.json();
  byId('unknown-callers').hidden = unknown === 0;
  byId('unknown-callers').textContent =
    `Calls with an unknown key in the last hour, of the whole installation: ${unknown.toLocaleString('en')}. ` +
    'They were answered 401. A key that is known and has ended, or is of another kind, is named below.';
  byId('refusals').replaceChildren(...refusals.map(row));
  byId('refusals-table').hidden = refusals.length === 0;
  byId('no-refusals').hidden = refusals.length > 0;
}

/** @param {{ count: number, reason: string, last: Call }} refusal */
function row({ count, reason, last }) {
  return element(
    'tr',
    {},
    element('td', { class: 'number' }, count.toLocaleString('en')),
    element('th', { scope: 'row' }, element('code', {}, reason)),
    element('td', {}, last.message ?? '', ' ', element('code', {}, last.route)),
    element('td', {}, element('time', { datetime: last.at }, timeOf(last.at))),
  );
}
