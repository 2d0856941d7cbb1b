/**
 * A person's state as stored: a short head that answers for most events whether there is anything to do; a line for each
 * rule, with what is asked of every rule at every look; and what each rule has counted, and the journeys, as bytes that are
 * read only where a rule or a journey is looked at, and copied as they are where not. So an event costs by the rules that
 * it concerns, and not by those that the person has something of. States of earlier versions: state-of-before.ts. Pure.
 */
import type { Mark, Marks } from '../../rules/windows.ts';
import { JourneyStates } from './journey-states.ts';
import { ByteReader, ByteWriter } from './state-bytes.ts';
import { readFormerState, type Stored } from './state-of-before.ts';
import type { Person, RuleState, RuleStates } from './state.ts';

const FORMAT = 4;
const STATUSES: readonly Person['status'][] = ['alive', 'absorbed', 'deleted'];
const HEAD_BYTES = 22;

/** Bits of what a person is and has. */
const IDENTIFIED = 1;
const HAS_JOURNEYS = 2;
/** What few people have, as one JSON text. */
const HAS_REST = 4;
/** The timer is not at the time of the next change. */
const HAS_OTHER_TIMER = 8;

/** Bits of what a line of a rule has. */
const HAS_SINCE = 1;
const HAS_CHANGES_AT = 2;
const HAS_NOT_BEFORE = 4;

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

const out = new ByteWriter();

export function encodePerson(person: Person, timerAt = person.timerAt): Buffer {
  const { rules, journeys, claims, stamp, changesAt } = person;
  const rest = restOf(person);
  const hasJourneys = journeys !== JourneyStates.none;
  out.begin();
  out.byte(FORMAT);
  out.byte(STATUSES.indexOf(person.status));
  out.word(stamp);
  out.double(person.firstSeenAt);
  out.double(changesAt);
  out.double(person.evaluatedAt);
  out.byte(
    (person.identified ? IDENTIFIED : 0) |
      (hasJourneys ? HAS_JOURNEYS : 0) |
      (rest === '' ? 0 : HAS_REST) |
      (timerAt === changesAt ? 0 : HAS_OTHER_TIMER),
  );
  if (timerAt !== changesAt) out.double(timerAt);
  out.count(claims.length);
  for (const claim of claims) out.text(claim);
  out.count(rules.size);
  for (const [key, state] of rules) writeRule(key, state);
  if (hasJourneys) writeJourneys(journeys, stamp);
  if (rest !== '') out.text(rest);
  return out.taken();
}

export function decodePerson(stored: Buffer): Person {
  const status = STATUSES[stored[1] ?? 0];
  if (status === undefined) throw new RangeError('unknown status of a person');
  const behind =
    stored[0] === FORMAT
      ? read(stored)
      : { ...readFormerState(stored, HEAD_BYTES), timerAt: changesAtOf(stored) };
  return {
    status,
    stamp: stampOf(stored),
    firstSeenAt: firstSeenOf(stored),
    changesAt: changesAtOf(stored),
    evaluatedAt: behind.evaluatedAt,
    identified: behind.identified,
    rules: behind.rules,
    journeys: behind.journeys,
    claims: behind.claims,
    held: behind.held,
    absorbedBy: behind.absorbedBy,
    clearedAt: behind.clearedAt,
    clearedBy: behind.clearedBy,
    apart: behind.apart,
    timerAt: behind.timerAt,
  };
}

type Rest = Pick<Person, 'held' | 'absorbedBy' | 'clearedAt' | 'clearedBy' | 'apart'>;
const nothing: Rest = {
  held: [],
  absorbedBy: null,
  clearedAt: undefined,
  clearedBy: undefined,
  apart: undefined,
};

/** What is as with everybody else is left out; '' for nothing. */
function restOf({ held, absorbedBy, clearedAt, clearedBy, apart }: Person): string {
  const isCleared = clearedAt !== undefined || clearedBy !== undefined || apart !== undefined;
  if (held.length === 0 && absorbedBy === null && !isCleared) return '';
  return JSON.stringify({
    ...(held.length > 0 && { held }),
    ...(absorbedBy !== null && { absorbedBy }),
    ...(clearedAt !== undefined && { clearedAt }),
    ...(clearedBy !== undefined && { clearedBy }),
    ...(apart !== undefined && { apart }),
  });
}

function read(stored: Buffer): Stored & Pick<Person, 'timerAt'> {
  const reader = new ByteReader(stored, HEAD_BYTES);
  const evaluatedAt = reader.double();
  const has = reader.byte();
  const timerAt = (has & HAS_OTHER_TIMER) === 0 ? changesAtOf(stored) : reader.double();
  const claims = readClaims(reader);
  const rules = readRules(reader);
  const journeys = (has & HAS_JOURNEYS) === 0 ? JourneyStates.none : readJourneys(reader, stampOf(stored));
  const rest =
    (has & HAS_REST) === 0 ? nothing : { ...nothing, ...(JSON.parse(reader.text()) as Partial<Rest>) }; // written by restOf
  const identified = (has & IDENTIFIED) !== 0;
  return { evaluatedAt, identified, rules, journeys, claims, ...rest, timerAt };
}

const noClaims: readonly string[] = [];

function readClaims(reader: ByteReader): readonly string[] {
  const count = reader.count();
  if (count === 0) return noClaims;
  const claims: string[] = [];
  for (let i = 0; i < count; i += 1) claims.push(reader.text());
  return claims;
}

function writeJourneys(journeys: JourneyStates, stamp: number): void {
  out.double(journeys.stallsAt(stamp) ?? NaN);
  const { lying } = journeys;
  if (lying === undefined) {
    const text = Buffer.from(JSON.stringify(journeys.byId));
    out.count(text.length);
    out.copy(text, 0, text.length);
    return;
  }
  out.count(lying.to - lying.from);
  out.copy(lying.bytes, lying.from, lying.to);
}

function readJourneys(reader: ByteReader, stamp: number): JourneyStates {
  const at = reader.double();
  const length = reader.count();
  const from = reader.at;
  reader.at += length;
  const lying = { bytes: reader.bytes, from, to: reader.at };
  return JourneyStates.lyingAt(lying, Number.isNaN(at) ? undefined : { stamp, at });
}

function writeRule(key: string, state: RuleState): void {
  const { version, since, changesAt, notBefore } = state;
  out.text(key);
  out.count(version);
  out.byte(
    (since === undefined ? 0 : HAS_SINCE) |
      (changesAt === undefined ? 0 : HAS_CHANGES_AT) |
      (notBefore === undefined ? 0 : HAS_NOT_BEFORE),
  );
  if (since !== undefined) out.double(since);
  if (changesAt !== undefined) out.double(changesAt);
  if (notBefore !== undefined) out.double(notBefore);
  const at = out.at;
  out.word(0);
  if (state instanceof StoredRule) out.copy(state.bytes, state.from, state.to);
  else writeMarks(state.marks);
  out.wordAt(at, out.at - at - LENGTH_BYTES);
}
const LENGTH_BYTES = 4;

const noRules: RuleStates = new Map();

function readRules(reader: ByteReader): RuleStates {
  const count = reader.count();
  if (count === 0) return noRules;
  const rules = new Map<string, RuleState>();
  for (let i = 0; i < count; i += 1) rules.set(reader.sharedText(), new StoredRule(reader));
  return rules;
}

const noMarks: Marks = [];

/** Behind the last of them nothing: their length is known. */
function writeMarks(marksOf: RuleState['marks']): void {
  for (const pointer in marksOf) {
    const marks = marksOf[pointer] ?? noMarks;
    out.text(pointer);
    out.count(marks.length);
    for (const [time, messageId, value] of marks) {
      out.double(time);
      out.byte(value === undefined ? 0 : 1);
      out.text(messageId);
      if (value !== undefined) out.text(value);
    }
  }
}

function readMarks(bytes: Buffer, from: number, to: number): RuleState['marks'] {
  const reader = new ByteReader(bytes, from);
  const found: Record<string, Marks> = {};
  while (reader.at < to) {
    const pointer = reader.sharedText();
    const marks = readMarksOfOne(reader);
    if (pointer === '__proto__') Object.defineProperty(found, pointer, { value: marks, ...own });
    else found[pointer] = marks;
  }
  return found;
}
const own = { enumerable: true, writable: true, configurable: true };

function readMarksOfOne(reader: ByteReader): Marks {
  const count = reader.count();
  const marks: Mark[] = [];
  for (let i = 0; i < count; i += 1) {
    const time = reader.double();
    const hasValue = reader.byte() === 1;
    const messageId = reader.text();
    marks.push(hasValue ? [time, messageId, reader.text()] : [time, messageId]);
  }
  return marks;
}

/** A rule's state whose marks are read when somebody asks for them. */
class StoredRule implements RuleState {
  readonly version: number;
  readonly since: number | undefined;
  readonly changesAt: number | undefined;
  readonly notBefore: number | undefined;
  /** Where the marks lie. */
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  #marks: RuleState['marks'] | undefined;

  constructor(reader: ByteReader) {
    this.version = reader.count();
    const has = reader.byte();
    this.since = (has & HAS_SINCE) === 0 ? undefined : reader.double();
    this.changesAt = (has & HAS_CHANGES_AT) === 0 ? undefined : reader.double();
    this.notBefore = (has & HAS_NOT_BEFORE) === 0 ? undefined : reader.double();
    const length = reader.word();
    this.bytes = reader.bytes;
    this.from = reader.at;
    reader.at += length;
    this.to = reader.at;
  }

  get marks(): RuleState['marks'] {
    return (this.#marks ??= readMarks(this.bytes, this.from, this.to));
  }

  /** As one that was never stored: it moves to other partitions. */
  toJSON(): RuleState {
    const { version, marks, since, changesAt, notBefore } = this;
    return { version, marks, since, changesAt, notBefore };
  }
}
