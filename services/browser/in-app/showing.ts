/**
 * Offers into messages on the screen. Nothing is shown before the server has said so a second time, in the order of the
 * visitor's events: what was offered before an identify or an order is not shown after it.
 */
import type { Content, Offer, Outcome, Renderer, Shown } from './offer.ts';
import { randomId } from './random-id.ts';

export interface ShowingPorts {
  /** Nobody sees what is shown now. */
  readonly isHidden: () => boolean;
  /** Rejects if it does not load; then the next offer tries again. */
  readonly renderer: () => Promise<Renderer>;
  /** undefined: it may not be shown; empty: nobody knows. */
  readonly ask: (offer: Offer, exposure: string) => Promise<string | undefined>;
  readonly react: (offer: Offer, exposure: string, outcome: Outcome) => void;
}

export class Showing {
  readonly #ports: ShowingPorts;
  readonly #open = new Map<string, { readonly content: Content; readonly shown: Shown }>();
  /** Of this page view: each message once. */
  #shown = new Set<string>();
  #page = 0;
  #isBusy = false;
  /** Tells of what is asked for that it did not come to be. */
  #notShown: (() => void) | undefined;

  constructor(ports: ShowingPorts) {
    this.#ports = ports;
  }

  /** Another page, or another visitor: what is on the screen was for the one before. */
  clear(): void {
    this.#page += 1;
    this.#shown = new Set();
    this.#open.forEach(({ shown }) => {
      shown.close();
    });
    this.#open.clear();
  }

  /** The document is left, perhaps for good: no answer will find it. */
  leave(): void {
    this.#notShown?.();
    this.clear();
  }

  /** In their order. While one is on its way to the screen the others wait for the next poll. */
  async take(offers: readonly Offer[]): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (const offer of offers) await this.#take(offer, this.#page);
    } catch {
      // A renderer that did not load, most of all.
    } finally {
      this.#isBusy = false;
    }
  }

  async #take(offer: Offer, page: number): Promise<void> {
    const { message_id: id, content, variant } = offer;
    if (this.#shown.has(id) || !this.#hasRoom(content)) return;
    const renderer = await this.#ports.renderer();
    if (!renderer.hasPlace(content) || this.#ports.isHidden()) return;
    const exposure = randomId();
    const notShown = (this.#notShown = () => {
      this.#ports.react(offer, exposure, { event: 'not_shown' });
    });
    const allowed = await this.#ports.ask(offer, exposure);
    this.#notShown = undefined;
    if (allowed === undefined) return;
    // By now it counts as shown: what does not come to be is taken back.
    if (allowed !== variant || page !== this.#page) {
      notShown();
      return;
    }
    this.#shown.add(id);
    try {
      const shown = renderer.show(content, (reaction) => {
        this.#ports.react(offer, exposure, reaction);
        if (reaction.event === 'snoozed') this.#shown.delete(id);
      });
      this.#open.set(id, { content, shown });
    } catch {
      notShown();
    }
  }

  /** One at a time, those within the page aside. */
  #hasRoom({ kind }: Content): boolean {
    const open = [...this.#open.values()];
    return (
      kind === 'inline' || !open.some(({ content, shown }) => content.kind !== 'inline' && shown.isOpen())
    );
  }
}
