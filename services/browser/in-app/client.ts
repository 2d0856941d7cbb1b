/** The client of on-site messages: watches the page's story, polls while that makes sense, and shows what is due. */
import type { Consent } from './consent.ts';
import type { Offer, Outcome, Renderer } from './offer.ts';
import { QueueCalls, type PageHere, type Who } from './queue-calls.ts';
import { SharedPoll } from './shared-poll.ts';
import { Showing } from './showing.ts';
import { Signals } from './signals.ts';
import type { PageStory, Tracker } from './tracker.ts';

export interface ClientOptions {
  readonly base: string;
  readonly siteId: string;
  /** Names the workspace, where the page has no site id. */
  readonly writeKey: string;
  readonly consent: Consent;
  readonly hasSignals: boolean;
  /** false: the page asks for no messages, and only consent is minded. */
  readonly hasMessages: boolean;
  readonly renderer: () => Promise<Renderer>;
}

/** Fields of a form that say who somebody is; all others are answers. */
const traitFields = ['email', 'phone', 'name', 'first_name', 'last_name'];
const activities = ['pointerdown', 'pointermove', 'keydown', 'scroll', 'touchstart'];

export class InAppClient implements PageStory {
  readonly #options: ClientOptions;
  readonly #calls: QueueCalls;
  readonly #showing: Showing;
  #tracker: Tracker | undefined;
  #signals: Signals | undefined;
  #poll: SharedPoll | undefined;
  /** Visitor and page that are polled for. */
  #polledFor = '';
  #pageName: string | undefined;
  #touchedAt = Date.now();
  /** Who was at the page when it last turned. */
  #seenBy = '';
  /** Their own form has named them: what they see of its end stays. */
  #isCapturing = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#calls = new QueueCalls(options.base);
    this.#showing = new Showing({
      isHidden: () => document.hidden,
      renderer: options.renderer,
      ask: (offer, exposure) => this.#ask(offer, exposure),
      react: (offer, exposure, reaction) => {
        this.#react(offer, exposure, reaction);
      },
    });
  }

  start(tracker: Tracker): void {
    this.#tracker = tracker;
    const { hasSignals, hasMessages, consent } = this.#options;
    if (consent.state() !== 'asked') void this.#calls.sendKept();
    if (!hasMessages) return;
    if (hasSignals) this.#signals = new Signals(tracker);
    for (const activity of activities) {
      addEventListener(activity, () => (this.#touchedAt = Date.now()), { passive: true });
    }
    document.addEventListener('visibilitychange', () => {
      this.#turn();
    });
    // A page that is left in one piece is as if it were hidden. When it comes back, what was on its screen is decided anew.
    addEventListener('pagehide', () => {
      this.#showing.leave();
      this.#stop();
    });
    addEventListener('pageshow', () => this.#turn());
    this.#turn();
  }

  paged(name: string | undefined): void {
    this.#pageName = name ?? location.href;
    this.#showing.clear();
    this.#signals?.paged();
    this.#turn();
    this.#poll?.soon();
  }

  tracked(): void {
    this.#turn();
    this.#poll?.soon();
  }

  renamed(): void {
    if (!this.#isCapturing) this.#showing.clear();
    this.#turn();
  }

  /** @param isTold to the server, which erases what it has of the visitor, or may keep it again. */
  consented(isGiven: boolean, isTold: boolean): void {
    const who = this.#who();
    if (isTold && who !== undefined)
      this.#calls.consent({ ...who, write_key: this.#options.writeKey }, isGiven);
    if (!isGiven) this.#showing.clear();
    this.#turn();
  }

  /** Polls for the visitor and the page of now, or for nobody: the hidden see nothing, and the known are shown nothing. */
  #turn(): void {
    const who = this.#who();
    const userId = this.#tracker?.userId();
    // Another tab may have named them, or somebody else.
    const seenBy = JSON.stringify([who, userId]);
    if (seenBy !== this.#seenBy && !this.#isCapturing) this.#showing.clear();
    this.#seenBy = seenBy;
    const mayPoll =
      this.#options.hasMessages &&
      !document.hidden &&
      this.#options.consent.state() === 'given' &&
      userId === undefined;
    const here = this.#here();
    const name = who !== undefined && mayPoll ? `hindsight ${JSON.stringify([who, here])}` : '';
    if (name === this.#polledFor) return;
    this.#stop();
    if (who === undefined || name === '') return;
    this.#polledFor = name;
    this.#poll = new SharedPoll({
      name,
      poll: () => this.#calls.poll(who, here),
      take: ({ messages }) => {
        this.#turn();
        if (this.#polledFor === name) void this.#showing.take(messages);
      },
      idleMs: () => Date.now() - this.#touchedAt,
    });
  }

  #stop(): void {
    this.#poll?.end();
    this.#poll = undefined;
    this.#polledFor = '';
  }

  #who(): Who | undefined {
    const anonymous_id = this.#tracker?.anonymousId();
    return anonymous_id === undefined ? undefined : { site_id: this.#options.siteId, anonymous_id };
  }

  #here(): PageHere {
    return { page: this.#pageName ?? location.href, path: location.pathname };
  }

  #ask({ message_id, variant }: Offer, exposure: string): Promise<string | undefined> {
    const who = this.#who();
    if (who === undefined) return Promise.resolve(undefined);
    const user = this.#tracker?.userId();
    const known = user === undefined ? {} : { user_id: user };
    return this.#calls.askToShow({ ...who, ...known, ...this.#here(), message_id, variant, exposure });
  }

  #react({ message_id, variant }: Offer, exposure: string, reaction: Outcome): void {
    const who = this.#who();
    if (who === undefined) return;
    const { event } = reaction;
    const more = event === 'submitted' ? {} : reaction;
    this.#calls.report({ ...who, message_id, exposure, event, ...more });
    if (reaction.event === 'submitted') this.#submitted({ message_id, variant }, reaction.answers);
  }

  #submitted(message: Readonly<Record<string, string>>, given: Readonly<Record<string, string>>): void {
    const entries = Object.entries(given);
    const traits = Object.fromEntries(entries.filter(([name]) => traitFields.includes(name)));
    const answers = Object.fromEntries(entries.filter(([name]) => !traitFields.includes(name)));
    if (Object.keys(answers).length > 0) this.#tracker?.track('Message Answered', { ...message, ...answers });
    if (Object.keys(traits).length === 0) return;
    this.#isCapturing = true;
    this.#tracker?.identify(traits);
    setTimeout(() => (this.#isCapturing = false), 1_000);
  }
}
