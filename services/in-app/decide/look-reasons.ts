/**
 * What a look counts of each message: why it is not shown. Who is held out counts where they would have been offered it, and
 * not where another message had its place: else the arms of a message would differ in who is in them. Pure.
 */
import type { Judgement, Refusal, TextRefusal } from './judge.ts';
import { Places } from './places.ts';
import { chosenVariant } from './variants.ts';
import type { Visitor } from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

export class LookReasons {
  /** Of a page that nobody here knows, too: messages of every page are what counts on it. */
  readonly #places = new Places(true);
  readonly #texts: ReadonlyMap<string, TextRefusal>;

  /** @param texts why those of a message could not be filled in, by its id. */
  constructor(texts: ReadonlyMap<string, TextRefusal>) {
    this.#texts = texts;
  }

  /** Asked in the order of the messages; undefined: nothing is counted. */
  of(visitor: Visitor, rule: MessageRule, judgement: Judgement): Refusal | 'held_out' | undefined {
    switch (judgement.outcome) {
      case 'refused':
        return judgement.reason;
      case 'held_out':
        return this.#places.isTaken({ rule, variant: chosenVariant(visitor, rule) }) ? undefined : 'held_out';
      case 'show': {
        const reason = this.#texts.get(rule.id);
        if (reason === undefined) this.#places.take({ rule, variant: judgement.variant });
        return reason;
      }
      default:
        return undefined;
    }
  }
}
