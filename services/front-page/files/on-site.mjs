/** Whether pages of the workspace have the plugin of on-site messages on, and have reported (GET /v1/in-app/check). */
import { timeOf } from './calls.mjs';
import { byId, element } from './element.mjs';

/** @typedef {{ count: number, last_at: string, last_page: string | null }} Sign */

const what = {
  loaded: 'pages that loaded their settings',
  asked: 'polls for messages',
  shown: 'messages shown',
  reported: 'reports of what became of them',
};

/** @param {string} appKey */
export async function showOnSite(appKey) {
  const answer = await fetch('v1/in-app/check', { headers: { authorization: `Bearer ${appKey}` } });
  if (!answer.ok) return;
  /** @type {{ says: string, signs: Record<keyof typeof what, Sign | null> }} */
  const { says, signs } = await answer.json();
  byId('on-site-state').textContent = says;
  const kinds = /** @type {(keyof typeof what)[]} */ (Object.keys(what));
  byId('on-site-signs').replaceChildren(...kinds.map((kind) => line(what[kind], signs[kind])));
}

/**
 * @param {string} named
 * @param {Sign | null} sign
 */
function line(named, sign) {
  if (sign === null) return element('li', {}, `${named}: none since this gateway started`);
  const { count, last_at: at, last_page: page } = sign;
  const where = page === null ? [] : [' of ', element('code', {}, page)];
  return element(
    'li',
    {},
    `${named}: ${count.toLocaleString('en')}, the last `,
    element('time', { datetime: at }, timeOf(at)),
    ...where,
  );
}
