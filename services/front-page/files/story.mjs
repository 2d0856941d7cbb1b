/** What became of a visitor or a person (GET /v1/trace), step by step, in a dialog. */
import { timeOf } from './calls.mjs';
import { byId, element } from './element.mjs';

/** @typedef {{ at: string, stage: string, name?: string, person_id?: string, reason?: string }} Step */

/**
 * @param {string} appKey
 * @param {import('./calls.mjs').Call} call
 */
export async function showStory(appKey, { anonymous_id: visitor, identifier }) {
  const dialog = /** @type {HTMLDialogElement} */ (byId('story'));
  const who = visitor ?? identifier ?? '';
  byId('story-title').textContent = `The story of ${who}`;
  byId('story-steps').replaceChildren();
  byId('story-state').textContent = 'asking…';
  byId('story-close').onclick = () => dialog.close();
  dialog.showModal();
  const query = new URLSearchParams(visitor === null ? { person: who } : { anonymous_id: who });
  const answer = await fetch(`v1/trace?${query.toString()}`, {
    headers: { authorization: `Bearer ${appKey}` },
  }).catch(() => undefined);
  byId('story-state').textContent = stateOf(answer);
  if (answer?.ok !== true) return;
  /** @type {{ steps: Step[] }} */
  const { steps } = await answer.json();
  byId('story-steps').replaceChildren(...steps.map(line));
}

/** @param {Response | undefined} answer */
function stateOf(answer) {
  if (answer?.ok === true) return '';
  if (answer?.status === 404) return 'Nothing is written of them yet; it takes about a second.';
  return `It could not be asked for${answer === undefined ? '' : ` (${String(answer.status)})`}.`;
}

/** @param {Step} step */
function line(step) {
  const what = [step.name, step.person_id, step.reason].filter((each) => each !== undefined).join(', ');
  return element(
    'li',
    {},
    element('time', { datetime: step.at }, timeOf(step.at)),
    ' ',
    element('strong', {}, step.stage),
    ` ${what}`,
  );
}
