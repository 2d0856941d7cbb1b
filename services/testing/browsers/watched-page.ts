/** A visitor at a page of the shop, watched: what the queue answered the page, and what our client has on the screen. */
import { eventually } from '../eventually.ts';
import type { ChromiumBrowser, ChromiumVisitor } from './chromium-browser.ts';

/** Runs before the page's own scripts, and takes nothing from them: each answer of the queue is noted as it passes. */
const WATCH = `(() => {
  const answers = (window.queueAnswers = []);
  const asked = window.fetch;
  window.fetch = async (...call) => {
    const answer = await asked(...call);
    const url = String(call[0]?.url ?? call[0]);
    if (/\\/v1\\/in-app\\/queue|\\/api\\/v4\\/users/.test(url)) {
      const noted = answer.clone();
      void noted.json().then((body) => answers.push(body), () => answers.push({}));
    }
    return answer;
  };
})()`;

const HOST = `document.querySelector('[data-hindsight-message]')`;

export class WatchedPage {
  readonly #visitor: ChromiumVisitor;

  private constructor(visitor: ChromiumVisitor) {
    this.#visitor = visitor;
  }

  /** Of somebody who has never been here. */
  static async open(browser: ChromiumBrowser): Promise<WatchedPage> {
    return WatchedPage.#of(await browser.visitor());
  }

  static async #of(visitor: ChromiumVisitor): Promise<WatchedPage> {
    await visitor.call('Page.addScriptToEvaluateOnNewDocument', { source: WATCH });
    // A page that nobody looks at does not poll; here several are looked at.
    await visitor.call('Emulation.setFocusEmulationEnabled', { enabled: true });
    return new WatchedPage(visitor);
  }

  async tab(): Promise<WatchedPage> {
    return WatchedPage.#of(await this.#visitor.tab());
  }

  goto(url: string): Promise<void> {
    return this.#visitor.goto(url);
  }

  /** A statement in the page. */
  async does(statement: string): Promise<void> {
    await this.#visitor.evaluate(`void (${statement})`);
  }

  evaluate(expression: string): Promise<unknown> {
    return this.#visitor.evaluate(expression);
  }

  evaluateInFrame(address: string, expression: string): Promise<unknown> {
    return this.#visitor.evaluateInFrame(address, expression);
  }

  close(): Promise<void> {
    return this.#visitor.close();
  }

  async anonymousId(): Promise<string> {
    await this.comes(`window.analytics?.user?.() || document.cookie.includes('_cioanonid=')`);
    const id = `window.analytics?.user ? analytics.user().anonymousId() : /_cioanonid=([^;]*)/.exec(document.cookie)[1]`;
    return String(await this.#visitor.evaluate(id));
  }

  comes(expression: string): Promise<void> {
    return eventually(async () => (await this.#visitor.evaluate(`Boolean(${expression})`)) === true);
  }

  /** Titles of the messages on the screen. */
  async titles(): Promise<unknown> {
    return this.#visitor.evaluate(
      `[...document.querySelectorAll('[data-hindsight-message]')].map(({ shadowRoot }) => shadowRoot.querySelector('.title')?.textContent ?? '')`,
    );
  }

  shows(title: string): Promise<void> {
    return eventually(async () => JSON.stringify(await this.titles()) === JSON.stringify([title]));
  }

  showsNothing(): Promise<void> {
    return this.comes(`${HOST} === null`);
  }

  /** Of the one message on the screen. */
  press(selector: string): Promise<void> {
    return this.does(`${HOST}.shadowRoot.querySelector(${JSON.stringify(selector)}).click()`);
  }

  async fill(values: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(values)) {
      const field = `${HOST}.shadowRoot.querySelector(${JSON.stringify(`input[name=${name}]`)})`;
      await this.does(`${field}.value = ${JSON.stringify(value)}`);
    }
    await this.does(`${HOST}.shadowRoot.querySelector('form').requestSubmit()`);
  }

  /** How many answers of the queue this page has had. */
  async answers(): Promise<number> {
    return Number(await this.#visitor.evaluate('window.queueAnswers?.length ?? 0'));
  }

  /** Ids that the next answer of the queue offers, of a page that may have had some before. */
  async offered(): Promise<readonly string[]> {
    const before = await this.answers();
    await eventually(async () => (await this.answers()) > before);
    const ids = `(queueAnswers.at(-1).messages ?? queueAnswers.at(-1).inAppMessages ?? []).map(({ message_id, queueId }) => message_id ?? queueId)`;
    return (await this.#visitor.evaluate(ids)) as readonly string[]; // texts, made a line above
  }
}
