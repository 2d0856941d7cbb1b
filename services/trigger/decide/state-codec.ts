/**
 * A person's state as stored: a short binary head that answers for most events whether there is anything to do; a line for
 * each rule, with what is asked of every rule at every look; and behind those what each rule has counted, as text that is
 * parsed only where a rule is looked at, and copied as it is where not. So an event costs by the rules that it concerns,
 * and not by those that the person has something of. Pure.
 */
import type { Marks } from '../../rules/windows.ts';
import { rangesOfList } from './held-triggers.ts';
import { newPerson, type Person, type RuleState } from './state.ts';

const FORMAT = 3;
/** Of versions that kept the triggers that wait in a list, and everything but the head as one JSON text. */
const FORMAT_OF_LISTS = 1;
const FORMAT_OF_JSON = 2;
const STATUSES: readonly Person['status'][] = ['alive', 'absorbed', 'deleted'];
const HEAD_BYTES = 22;
/** In front of the texts of the marks; JSON has none. */
const BETWEEN = '\n';

export function isAlive(stored: Buffer): boolean {
  return stored[1] === 0;
}
export function stampOf(stored: Buffer): number {
  return stored.readUInt32LE(2);
}
export function firstSeenOf(stored: Buffer): number {
  return stored.readDoubleLE(6);
}
export function changesAtOf(stored: Buffer): number {
  return stored.readDoubleLE(14);
}

export function encodePerson(person: Person): Buffer {
  const { status, stamp, firstSeenAt, changesAt, rules, ...rest } = person;
  const lines: RuleLine[] = [];
  let texts = '';
  for (const [key, state] of Object.entries(rules)) {
    const text = state instanceof StoredRule ? state.text : JSON.stringify(state.marks);
    const { version, since = null, changesAt: at = null, notBefore } = state;
    const line = [key, version, text.length, since, at] as const;
    lines.push(notBefore === undefined ? line : [...line, notBefore]);
    texts += text;
  }
  const json = `${JSON.stringify([written(rest), lines])}${BETWEEN}${texts}`;
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(json));
  bytes[0] = FORMAT;
  bytes[1] = STATUSES.indexOf(status);
  bytes.writeUInt32LE(stamp, 2);
  bytes.writeDoubleLE(firstSeenAt, 6);
  bytes.writeDoubleLE(changesAt, 14);
  bytes.write(json, HEAD_BYTES);
  return bytes;
}

export function decodePerson(stored: Buffer): Person {
  const status = STATUSES[stored[1] ?? 0];
  if (status === undefined) throw new RangeError('unknown status of a person');
  return {
    ...restOf(stored),
    status,
    stamp: stampOf(stored),
    firstSeenAt: firstSeenOf(stored),
    changesAt: changesAtOf(stored),
  };
}

type Rest = Omit<Person, 'status' | 'stamp' | 'firstSeenAt' | 'changesAt'>;
type Small = Omit<Rest, 'rules'>;
/** `length`: characters of the marks' text. */
type RuleLine = readonly [
  key: string,
  version: number,
  length: number,
  since: number | null,
  changesAt: number | null,
  notBefore?: number,
];

const { evaluatedAt, identified, journeys, claims, held, absorbedBy } = newPerson;
const everybody: Small = { evaluatedAt, identified, journeys, claims, held, absorbedBy };

/** What is as with everybody else is left out. */
function written({
  evaluatedAt,
  identified,
  journeys,
  claims,
  held,
  absorbedBy,
  clearedAt,
  clearedBy,
  apart,
}: Small): Partial<Small> {
  return {
    evaluatedAt,
    ...(identified && { identified }),
    ...(Object.keys(journeys).length > 0 && { journeys }),
    ...(claims.length > 0 && { claims }),
    ...(held.length > 0 && { held }),
    ...(absorbedBy !== null && { absorbedBy }),
    ...(clearedAt !== undefined && { clearedAt }),
    ...(clearedBy !== undefined && { clearedBy }),
    ...(apart !== undefined && { apart }),
  };
}

function restOf(stored: Buffer): Rest {
  const text = stored.toString('utf8', HEAD_BYTES);
  if (stored[0] === FORMAT) return read(text);
  const parsed: unknown = JSON.parse(text);
  if (stored[0] === FORMAT_OF_JSON) return parsed as Rest; // written by encodePerson as it was
  if (stored[0] !== FORMAT_OF_LISTS) {
    throw new RangeError(`unknown format ${String(stored[0])} of a person's state`);
  }
  const { held, ...rest } = parsed as Omit<Rest, 'held'> & {
    readonly held: Parameters<typeof rangesOfList>[0];
  }; // written by encodePerson as it was
  return { ...rest, held: rangesOfList(held) };
}

function read(text: string): Rest {
  const end = text.indexOf(BETWEEN);
  const [small, lines] = JSON.parse(text.slice(0, end)) as [Partial<Small>, readonly RuleLine[]]; // written by encodePerson
  let from = end + BETWEEN.length;
  const rules: [string, RuleState][] = [];
  for (const [key, version, length, since, changesAt, notBefore] of lines) {
    rules.push([
      key,
      new StoredRule({ version, since, changesAt, notBefore }, text.slice(from, from + length)),
    ]);
    from += length;
  }
  return { ...everybody, ...small, rules: Object.fromEntries(rules) };
}

interface Line {
  readonly version: number;
  readonly since: number | null;
  readonly changesAt: number | null;
  readonly notBefore: number | undefined;
}

/** A rule's state whose marks are parsed when somebody asks for them. */
class StoredRule implements RuleState {
  readonly version: number;
  declare readonly since?: number;
  declare readonly changesAt?: number;
  declare readonly notBefore?: number;
  /** JSON of the marks. */
  readonly text: string;
  #marks: Readonly<Record<string, Marks>> | undefined;

  constructor({ version, since, changesAt, notBefore }: Line, text: string) {
    this.version = version;
    if (since !== null) this.since = since;
    if (changesAt !== null) this.changesAt = changesAt;
    if (notBefore !== undefined) this.notBefore = notBefore;
    this.text = text;
  }

  get marks(): Readonly<Record<string, Marks>> {
    return (this.#marks ??= JSON.parse(this.text) as Readonly<Record<string, Marks>>); // written by encodePerson
  }

  /** As one that was never stored: it moves to other partitions. */
  toJSON(): RuleState {
    const { version, marks, since, changesAt, notBefore } = this;
    return {
      version,
      marks,
      ...(since !== undefined && { since }),
      ...(changesAt !== undefined && { changesAt }),
      ...(notBefore !== undefined && { notBefore }),
    };
  }
}
