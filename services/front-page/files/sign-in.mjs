/**
 * Who looks at the page. A link with a code brings the keys of every workspace of credentials.json; an app key that is
 * typed in brings itself. Both are kept for this tab, until it is closed or signed out.
 *
 *   link (#code=…) ──200──▶ in        app key ──GET /v1/keys 200──▶ in
 *        └──401──▶ out, with why           └──401──▶ out, with why
 */

/** @typedef {Readonly<Record<string, string>>} Keys by the names of credentials.json */
/** @typedef {Readonly<Record<string, Keys>>} Workspaces */

const KEPT = 'hindsight.keys';

/** @returns {Promise<{ workspaces?: Workspaces, fault?: string }>} */
export async function signInByLink() {
  const code = /^#code=(\w+)$/.exec(location.hash)?.[1];
  if (code === undefined) return kept();
  // It has done its work after this call, and need not stand in the address and the history.
  history.replaceState(null, '', location.pathname + location.search);
  const answer = await fetch('v1/sign-in', { method: 'POST', headers: { authorization: `Bearer ${code}` } });
  if (!answer.ok) {
    const { workspaces } = kept();
    const fault =
      'The link was used already, is older than an hour, or another was made since. npm run page prints another one; an app key does, too.';
    return workspaces === undefined ? { fault } : { workspaces };
  }
  const { workspaces } = await answer.json();
  return { workspaces: keep(workspaces) };
}

/**
 * @param {string} appKey
 * @returns {Promise<{ workspaces?: Workspaces, fault?: string }>}
 */
export async function signInByKey(appKey) {
  const answer = await fetch('v1/keys', { headers: { authorization: `Bearer ${appKey}` } });
  const body = await answer.json();
  if (!answer.ok) return { fault: String(body.meta?.error ?? `It was answered ${String(answer.status)}.`) };
  const [first] = body.keys;
  if (first === undefined || first.workspace === null) {
    return { fault: 'That is a key of the whole installation. Take the app key of a workspace.' };
  }
  return { workspaces: keep({ [first.workspace]: { app_key: appKey } }) };
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
}

/**
 * @param {Workspaces} workspaces
 * @returns {Workspaces}
 */
function keep(workspaces) {
  sessionStorage.setItem(KEPT, JSON.stringify(workspaces));
  return workspaces;
}

/** @returns {{ workspaces?: Workspaces }} */
function kept() {
  const text = sessionStorage.getItem(KEPT);
  return text === null ? {} : { workspaces: JSON.parse(text) };
}
