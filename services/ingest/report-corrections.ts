/**
 * Tells an operator that clients of a workspace send something that has to be corrected: a line for each kind of
 * correction and workspace, once an hour. The rows of `dropped` have each one.
 */
import type { Logger } from '../runtime/logger.ts';
import { RecentMap } from '../runtime/recent-map.ts';
import type { Correction } from './corrections.ts';
import type { Outcome } from './translation.ts';

const quietMs = 3_600_000;
const kindsMax = 1_000;

/** @param now ms. */
export function reportCorrections(
  logger: Pick<Logger, 'warn'>,
  now: () => number = Date.now,
): (outcomes: readonly Outcome[]) => void {
  const told = new RecentMap<string, number>(kindsMax);
  return (outcomes) => {
    for (const outcome of outcomes) {
      if (outcome.type !== 'dropped' || outcome.dropped.reason !== 'corrected') continue;
      const { workspace, detail } = outcome.dropped;
      const { source, corrections } = JSON.parse(detail ?? '{}') as Detail; // written by corrections.ts
      for (const { field, why } of corrections) {
        // Names of traits are the client's, and would be kinds without end.
        const [part = ''] = field.split('.');
        const kind = `${workspace} ${source} ${part} ${why}`;
        if (now() - (told.get(kind) ?? -Infinity) < quietMs) continue;
        told.set(kind, now());
        logger.warn({ workspace, source, field: part, why }, 'what clients send is corrected: see dropped');
      }
    }
  };
}

interface Detail {
  readonly source: string;
  readonly corrections: readonly Correction[];
}
