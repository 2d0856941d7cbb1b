/** Which migrations have to run, and what must not be. Pure. */
import { CodedError } from '../../runtime/errors.ts';
import type { Migration } from './migrations.ts';

export interface Applied {
  readonly number: number;
  readonly name: string;
  readonly hash: string;
}

/**
 * The migrations still to run, in order.
 * Throws `schema_newer` when the database has migrations that this program does not know, and `migration_changed` when
 * one that has run reads differently now.
 */
export function pendingMigrations(known: readonly Migration[], applied: readonly Applied[]): Migration[] {
  for (const ran of applied) {
    const own = known.find(({ number }) => number === ran.number);
    if (own === undefined) {
      throw new CodedError(
        'schema_newer',
        `could not use the database: it has migration ${String(ran.number)} (${ran.name}) of a newer Hindsight`,
      );
    }
    if (own.hash !== ran.hash) {
      throw new CodedError(
        'migration_changed',
        `could not migrate: migration ${String(ran.number)} (${own.name}) has run with another text`,
      );
    }
  }
  const done = new Set(applied.map(({ number }) => number));
  const last = Math.max(0, ...done);
  const gap = known.find(({ number }) => number < last && !done.has(number));
  if (gap !== undefined) {
    const text = `could not migrate: ${String(gap.number)} (${gap.name}) has not run, but a later one has`;
    throw new CodedError('migration_missing', text);
  }
  return known.filter(({ number }) => !done.has(number));
}
