/**
 * Which calls must wait until all before them have had their effect. Promise 3 is about one order of identity.requests:
 * where the order of two lanes' calls decides what they come to, the history fixes it by waiting; everywhere else lanes
 * may overtake each other as the schedule likes. A control call comes after everything acknowledged before it and before
 * everything after it, so it fixes the order by itself. For the model test only.
 */
import { identifiersIn, isLaneCall, keyOf, type Call, type LaneCall } from './calls.ts';
import { partner } from './history.ts';
import type { Oracle } from './oracle.ts';
import { identifiersOf, type Person } from './oracle-people.ts';

/** A name for everybody. */
const EVERYBODY = '*';

export class InFlight {
  readonly #oracle: Oracle;
  /** Lanes under way, by whom they name. */
  readonly #naming = new Map<string, Set<string>>();
  /** The same, of calls whose order decides. */
  readonly #deciding = new Map<string, Set<string>>();

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  mustWait(call: Call): boolean {
    if (call.type === 'settings') return true;
    if (!isLaneCall(call)) return false;
    const meets = (map: ReadonlyMap<string, ReadonlySet<string>>): boolean =>
      this.#reach(call).some((name) => [...(map.get(name) ?? [])].some((other) => other !== call.lane));
    return meets(this.#deciding) || (this.#orderDecides(call) && meets(this.#naming));
  }

  /** Notes whom the call concerns before and after it is taken. */
  taking(call: Call, take: () => void): void {
    const before = isLaneCall(call) ? this.#reach(call) : [];
    take();
    if (call.type === 'settings' || call.type === 'lost') return;
    if (!isLaneCall(call)) {
      this.clear();
      return;
    }
    const decides = this.#orderDecides(call);
    for (const name of new Set([...before, ...this.#reach(call)])) {
      note(this.#naming, name, call.lane);
      if (decides) note(this.#deciding, name, call.lane);
    }
  }

  clear(): void {
    this.#naming.clear();
    this.#deciding.clear();
  }

  /** Calls that name one person by id and email come to the same in any order; of others the first wins. */
  #orderDecides({ named, also, updateOnly }: LaneCall): boolean {
    if (named === null) return false;
    const other = partner(named);
    const usual = other !== null && also.every((each) => keyOf(each) === keyOf(other));
    return !usual || updateOnly || this.#everyOrderDecides();
  }

  #everyOrderDecides(): boolean {
    const { auto_merge: autoMerge, update_email_by_id: changesEmails, guards } = this.#oracle.settings;
    const tallies = [
      guards.people_per_anonymous_id,
      guards.anonymous_ids_per_person,
      guards.merges_per_minute,
    ];
    return !autoMerge || changesEmails || tallies.some((each) => each !== null);
  }

  /** Names of everybody whom the call may concern, as things stand. */
  #reach(call: LaneCall): readonly string[] {
    const { people } = this.#oracle;
    const names = identifiersIn(call).map(keyOf);
    const owners = identifiersIn(call).map((each) => people.bound(each) ?? people.owner(each));
    for (const owner of owners) if (owner !== undefined) names.push(...namesOf(owner));
    if (this.#everyOrderDecides() && identifiersIn(call).length > 0) names.push(EVERYBODY);
    return names;
  }
}

function namesOf(person: Person): readonly string[] {
  return [`person:${String(person.born)}`, ...identifiersOf(person).map(keyOf)];
}

function note(map: Map<string, Set<string>>, name: string, source: string): void {
  const sources = map.get(name) ?? new Set();
  map.set(name, sources.add(source));
}
