/** Compares ClickHouse with the oracle, message by message. */
import { Comparison, misplacements, type Compared } from './comparison.ts';
import type { Oracle } from './oracle.ts';
import type { SampleRules } from './rules.ts';
import type { Tables } from './tables.ts';

export interface CheckReport extends Compared {
  readonly repeatsLost: number;
  readonly membersWrong: number;
  readonly entriesWrong: number;
}

export async function check(tables: Tables, oracle: Oracle, rules: SampleRules): Promise<CheckReport> {
  const [events, anonymous, duplicates, people] = await Promise.all([
    tables.events(),
    tables.anonymousEvents(),
    tables.duplicates(),
    tables.people(),
  ]);
  const idOf = new Map(people.map(({ id, person_id }) => [person_id, id]));
  const compared = new Comparison(oracle, idOf).compare(events, anonymous);
  let membersWrong = 0;
  for (const { id, event } of rules.segments) {
    membersWrong += difference(oracle, await tables.members(id), idOf, event);
  }
  const entries = await tables.entries(rules.journey.id);
  const repeats = new Map<string, number>();
  for (const { message_id } of duplicates) repeats.set(message_id, (repeats.get(message_id) ?? 0) + 1);
  let repeatsLost = 0;
  for (const id of oracle.repeats) {
    const left = repeats.get(id) ?? 0;
    if (left === 0) repeatsLost += 1;
    repeats.set(id, left - 1);
  }
  return {
    ...compared,
    repeatsLost,
    membersWrong,
    entriesWrong: difference(oracle, entries, idOf, rules.journey.event),
  };
}

/** How much is wrong; 0 when ClickHouse holds what it must. */
export function faultsOf(report: CheckReport): number {
  return misplacements(report) + report.repeatsLost + report.membersWrong + report.entriesWrong;
}

/** People who are in but should not be, or the other way round; people of other runs are left aside. */
function difference(
  oracle: Oracle,
  rows: readonly { person_id: string }[],
  idOf: ReadonlyMap<string, string>,
  event: string,
): number {
  const expected = oracle.didEvent(event);
  const found = new Set(rows.map(({ person_id }) => idOf.get(person_id) ?? person_id));
  const wrong = [...found].filter((id) => oracle.people.has(id) && !expected.has(id)).length;
  return wrong + [...expected].filter((id) => !found.has(id)).length;
}
