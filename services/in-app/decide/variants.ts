/** Which variant a visitor gets: the same for ever while there is one of that id, and by weight over all visitors. */
import { createHash } from 'node:crypto';
import type { Variant } from '../../rules/message.ts';
import { ledgerOf, type Visitor } from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

/**
 * @param offered what they were offered, under older weights or under a name that their client had for them: it is theirs if
 * they have none yet.
 */
export function chosenVariant(
  visitor: Visitor,
  { id, message }: MessageRule,
  offered: string | null = null,
): string {
  const { variants } = message;
  for (const known of [ledgerOf(visitor, id).variant, offered]) {
    if (known !== null && variants.some((variant) => variant.id === known)) return known;
  }
  return byWeight(variants, drawnFor(id, visitor.anonymousId));
}

/** From 0 to 1, the same for a message and a visitor for ever, and independent of the holdout's. */
function drawnFor(messageId: string, anonymousId: string): number {
  const hash = createHash('sha256').update(`variant\0${messageId}\0${anonymousId}`).digest();
  return hash.readUIntBE(0, 6) / 2 ** 48;
}

export function byWeight(variants: readonly Variant[], drawn: number): string {
  const total = variants.reduce((sum, { weight }) => sum + weight, 0);
  let left = drawn * total;
  for (const { id, weight } of variants) {
    if (left < weight) return id;
    left -= weight;
  }
  return variants.at(-1)?.id ?? '';
}
