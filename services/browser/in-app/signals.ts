/** What only the page can see, told as ordinary events: each at most once for a page view. */
import type { Tracker } from './tracker.ts';

const scrollPercents = [25, 50, 75, 90];
const dwellSeconds = [10, 30, 60, 180, 600];
const tickMs = 1_000;

export class Signals {
  readonly #tracker: Pick<Tracker, 'track'>;
  #told = new Set<string>();
  #visibleSeconds = 0;

  constructor(tracker: Pick<Tracker, 'track'>) {
    this.#tracker = tracker;
    document.addEventListener('mouseout', ({ clientY, relatedTarget }) => {
      // Out at the top, to the tabs and the address.
      if (relatedTarget === null && clientY <= 0) this.#tell('Exit Intent', {});
    });
    addEventListener('scroll', () => this.#scrolled(), { passive: true });
    setInterval(() => this.#tick(), tickMs);
  }

  /** Another page, in the same document or not. */
  paged(): void {
    this.#told = new Set();
    this.#visibleSeconds = 0;
  }

  #scrolled(): void {
    const { scrollHeight, clientHeight } = document.documentElement;
    const way = scrollHeight - clientHeight;
    const percent = way <= 0 ? 0 : (100 * scrollY) / way;
    const passed = scrollPercents.filter((each) => percent >= each).pop();
    if (passed !== undefined) this.#tell('Page Scrolled', { percent: passed });
  }

  #tick(): void {
    if (document.hidden) return;
    this.#visibleSeconds += 1;
    if (dwellSeconds.includes(this.#visibleSeconds)) {
      this.#tell('Page Dwelled', { seconds: this.#visibleSeconds });
    }
  }

  #tell(event: string, properties: Readonly<Record<string, number>>): void {
    const name = event + JSON.stringify(properties);
    if (this.#told.has(name)) return;
    this.#told.add(name);
    this.#tracker.track(event, { ...properties, url: location.href });
  }
}
