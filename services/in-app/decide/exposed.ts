/** What a visitor was shown or held out from, as conversions and the person go by it. */
import type { Exposed } from './decide-conversions.ts';
import { firstShownAt, type Visitor } from './visitor.ts';

export function exposedOf({ ledgers }: Visitor): readonly Exposed[] {
  return Object.entries(ledgers).flatMap(([messageId, ledger]) => {
    const shownAt = firstShownAt(ledger);
    const isHeldOut = shownAt === null;
    const at = shownAt ?? ledger.heldOutAt;
    if (at === null) return [];
    const { variant, version, clickedAt } = ledger;
    return [{ messageId, variant, version, at, isHeldOut, hasClicked: clickedAt !== null }];
  });
}
