/** Which variant a visitor gets: the same for ever while there is one of that id, and by weight over all visitors. */
import { createHash } from 'node:crypto';
import type { Variant } from '../../rules/message.ts';
import { ledgerOf, type Visitor } from './visitor.ts';
import type { MessageRule } from './workspace-messages.ts';

export function chosenVariant(visitor: Visitor, { id, message }: MessageRule): string {
  const { variants } = message;
  const before = ledgerOf(visitor, id).variant;
  if (before !== null && variants.some((variant) => variant.id === before)) return before;
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
