/**
 * Where on a page a message stands: one of those that lie over it, and one for each element. Whether the page has that, only
 * the page can say, and what stands there may not keep away what would be shown instead. Pure.
 */
import type { ContentKind } from '../../rules/message.ts';
import type { MessageRule } from './workspace-messages.ts';

export interface Chosen {
  readonly rule: MessageRule;
  readonly variant: string;
}

export function placeOf({ rule, variant }: Chosen): string {
  const content = rule.message.variants.find(({ id }) => id === variant)?.content;
  const kind: ContentKind = content?.kind ?? 'modal';
  return kind === 'inline' || kind === 'tooltip' ? `${kind} ${content?.element ?? ''}` : 'over the page';
}

/** Places of a page, given away in the order of the messages. */
export class Places {
  readonly #isOnePage: boolean;
  readonly #taken = new Set<string>();

  /** @param isOnePage else the client chooses by page rules itself, and all are given to everybody. */
  constructor(isOnePage: boolean) {
    this.#isOnePage = isOnePage;
  }

  isTaken(chosen: Chosen): boolean {
    return this.#taken.has(placeOf(chosen));
  }
  take(chosen: Chosen): void {
    if (this.#isOnePage) this.#taken.add(placeOf(chosen));
  }
}
