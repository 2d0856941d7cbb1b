/**
 * The last calls of a workspace and each one as it comes (GET /v1/live), newest first. A stream that ends is opened again
 * after a pause; what it then repeats is in the place of what was shown.
 */
import { byId, element } from './element.mjs';

/**
 * @typedef {{ at: string, route: string, status: number, answered: string, reason: string | null, message: string | null,
 *   type: string | null, name: string | null, anonymous_id: string | null, identifier: string | null }} Call
 */

const shownCallsMax = 100;
const againAfterMs = 2_000;
/** Of one event of the stream. */
const blockCharsMax = 65_536;

/** As a reader understands them. @type {Readonly<Record<string, string>>} */
const words = {
  ok: 'taken',
  corrected: 'corrected',
  dropped: 'refused',
  limited: 'too fast',
  retry: 'later',
};

/**
 * @param {{ appKey: string, signal: AbortSignal, onStory: (call: Call) => void, onRefused: () => void, onOut: () => void }} options
 */
export async function followCalls({ appKey, signal, ...on }) {
  const table = new CallsTable(on.onStory);
  while (!signal.aborted) {
    const isGood = await read(appKey, signal, table, on.onRefused).catch(() => true); // away: asked again
    if (signal.aborted) return;
    if (!isGood) {
      on.onOut();
      return;
    }
    table.say('not connected: asking again');
    await new Promise((done) => setTimeout(done, againAfterMs));
  }
}

/**
 * Until the stream ends.
 * @param {string} appKey
 * @param {AbortSignal} signal
 * @param {CallsTable} table
 * @param {() => void} onRefused
 * @returns {Promise<boolean>} whether the key is good.
 */
async function read(appKey, signal, table, onRefused) {
  const answer = await fetch('v1/live', { headers: { authorization: `Bearer ${appKey}` }, signal });
  if (!answer.ok || answer.body === null) return answer.status !== 401;
  table.begin();
  for await (const [kind, data] of eventsOf(answer.body)) {
    if (kind === 'skipped') table.skip(data.count);
    if (kind !== 'call') continue;
    table.add(data);
    if (data.answered !== 'ok') onRefused();
  }
  return true;
}

/**
 * Events of a stream, with their data read.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<[string, any]>}
 */
async function* eventsOf(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = (blocks.pop() ?? '').slice(0, blockCharsMax);
    for (const block of blocks) {
      const [, kind, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (kind !== undefined && data !== undefined) yield [kind, JSON.parse(data)];
    }
  }
}

class CallsTable {
  /** @type {Call[]} */
  #calls = [];
  #seen = 0;
  #refused = 0;
  #skipped = 0;
  #isDue = false;
  #onStory;

  /** @param {(call: Call) => void} onStory */
  constructor(onStory) {
    this.#onStory = onStory;
    byId('only-refused').onchange = () => this.#draw();
    const pause = byId('pause');
    pause.onclick = () => {
      const isPaused = pause.getAttribute('aria-pressed') === 'true';
      pause.setAttribute('aria-pressed', String(!isPaused));
      pause.textContent = isPaused ? 'Pause' : 'Go on';
      this.#draw();
    };
  }

  begin() {
    this.#calls = [];
    this.#seen = this.#refused = this.#skipped = 0;
    this.say('');
    this.#draw();
  }

  /** @param {Call} call */
  add(call) {
    this.#seen++;
    if (isRefused(call)) this.#refused++;
    this.#calls.unshift(call);
    this.#calls.length = Math.min(this.#calls.length, 2 * shownCallsMax);
    if (this.#isDue) return;
    // Many come at once: they are drawn together.
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#draw();
    }, 50);
  }

  /** @param {number} count */
  skip(count) {
    this.#skipped += count;
  }

  /** @param {string} text */
  say(text) {
    byId('calls-state').textContent = text;
  }

  #draw() {
    if (byId('pause').getAttribute('aria-pressed') === 'true') return;
    const only = /** @type {HTMLInputElement} */ (byId('only-refused')).checked;
    const shown = this.#calls.filter((call) => !only || call.answered !== 'ok').slice(0, shownCallsMax);
    byId('calls').replaceChildren(...shown.map((call) => row(call, this.#onStory)));
    byId('calls-table').hidden = shown.length === 0;
    byId('no-calls').hidden = shown.length > 0;
    if (this.#seen === 0) return;
    const counts = [`${plain(this.#seen)} seen`, `${plain(this.#refused)} refused`];
    if (this.#skipped > 0) counts.push(`${plain(this.#skipped)} came too fast to show`);
    this.say(counts.join(', '));
  }
}

/** @param {Call} call */
function isRefused({ answered }) {
  return answered !== 'ok' && answered !== 'corrected';
}

/** @param {number} count */
function plain(count) {
  return count.toLocaleString('en');
}

/**
 * @param {Call} call
 * @param {(call: Call) => void} onStory
 */
function row(call, onStory) {
  const { anonymous_id: visitor, identifier } = call;
  const who = [visitor, identifier].filter((each) => each !== null).join(' = ');
  const what = [call.type, call.name].filter((each) => each !== null).join(' ');
  const why = [call.reason, call.message].filter((each) => each !== null && each !== '').join(': ');
  const story = element('button', { type: 'button', class: 'link' }, who);
  story.append(element('span', { class: 'unseen' }, ': the story so far'));
  story.addEventListener('click', () => onStory(call));
  return element(
    'tr',
    {},
    element('td', {}, element('time', { datetime: call.at }, timeOf(call.at))),
    element(
      'td',
      {},
      element('span', { class: `answered ${call.answered}` }, words[call.answered] ?? call.answered),
      ` ${String(call.status)}`,
    ),
    element('td', {}, element('code', {}, call.route)),
    element('td', {}, what),
    element('td', {}, who === '' ? '' : story),
    element('td', {}, why),
  );
}

/** @param {string} at */
export function timeOf(at) {
  return new Date(at).toLocaleTimeString('en-GB');
}
