/**
 * A rule as SQL over the views `people`, `events`, `segment_memberships` and the table behind `relationships`: who would be
 * in this, at a moment? The same answer as evaluate.ts gives, which promise 5 tests on the real engine. What was merged
 * after the moment is not seen; attributes, objects and members of manual segments are those of today.
 */
import { unreachable } from '../runtime/errors.ts';
import { type Condition, type RelationshipCondition, type Segment } from './condition.ts';
import { eventsSql } from './sql-events.ts';
import { conditionNodesMax, referencedConditionsMax } from './limits.ts';
import { readTwice } from './sql-numbers.ts';
import { all, any, int, Names, quoted } from './sql-text.ts';
import { checkSql, textValue, timeOf, valueAtPath, type Value } from './sql-values.ts';
import { isAtMost, marksNeeded } from './windows.ts';

export interface SqlOptions {
  readonly workspace: string;
  /** ms: the time for which the question is asked. */
  readonly now: number;
  /** Segments that conditions refer to. */
  readonly segment: (segmentId: string) => Segment | undefined;
}

/** Of one question: a rule, and what it may refer to. What was stored before that was bounded may lead to more. */
export const sqlConditionsMax = conditionNodesMax + referencedConditionsMax;

export class TooManyConditions extends Error {
  constructor() {
    super(
      `the rule and the segments behind it have more than ${String(sqlConditionsMax)} conditions together`,
    );
  }
}

/** SELECT of one column, `person_id`: the people for whom the condition holds. @throws TooManyConditions */
export function peopleSql(condition: Condition, options: SqlOptions): string {
  return new SqlWriter(options).people(condition);
}

class SqlWriter {
  readonly #options: SqlOptions;
  readonly #counter = { next: 0 };
  readonly #names = new Names(this.#counter);
  /** Segments being written, outermost first: one that comes again is a circle. */
  readonly #open: string[] = [];
  #leaves = 0;

  constructor(options: SqlOptions) {
    this.#options = options;
  }

  people(condition: Condition): string {
    const holds = this.#holds(condition);
    const where = `workspace = ${quoted(this.#options.workspace)} AND ${holds}`;
    return `${this.#names.with}SELECT person_id FROM people WHERE ${where}`;
  }

  #holds(condition: Condition): string {
    const now = int(this.#options.now);
    if (condition.type !== 'all' && condition.type !== 'any' && condition.type !== 'not') this.#count();
    switch (condition.type) {
      case 'all':
        return all(condition.of.map((branch) => this.#holds(branch)));
      case 'any':
        return any(condition.of.map((branch) => this.#holds(branch)));
      case 'not':
        return `(NOT ${this.#holds(condition.of)})`;
      case 'event':
      case 'stall':
      case 'sequence':
      case 'device': {
        const { workspace } = this.#options;
        return eventsSql(condition, { workspace, now: this.#options.now, counter: this.#counter });
      }
      case 'attribute':
        return checkSql(condition.check, this.#attribute(condition.path), now);
      case 'relationship':
        return this.#relationship(condition);
      case 'segment':
        return this.#segment(condition.segmentId);
      case 'age':
        return `ifNull(toUnixTimestamp64Milli(first_seen_at) + ${int(condition.atLeastMs)} <= ${now}, 0)`;
      default:
        return unreachable(condition);
    }
  }

  #count(): void {
    this.#leaves += 1;
    if (this.#leaves <= sqlConditionsMax) return;
    throw new TooManyConditions();
  }

  #segment(segmentId: string): string {
    const segment = this.#options.segment(segmentId);
    if (segment === undefined) return '0';
    if (segment.type === 'manual' || this.#open.includes(segmentId)) {
      const { workspace } = this.#options;
      const of = all([`workspace = ${quoted(workspace)}`, `segment_id = ${quoted(segmentId)}`]);
      return `(person_id IN (SELECT person_id FROM segment_memberships WHERE ${of}))`;
    }
    this.#open.push(segmentId);
    const holds = this.#holds(segment.when);
    this.#open.pop();
    return holds;
  }

  #relationship({ objectType, objectId, where, objectWhere, count }: RelationshipCondition): string {
    const now = int(this.#options.now);
    const names = new Names(this.#counter);
    const list = readTwice("ifNull(relationships, '[]')");
    const entry = { raw: 'entry.1', exact: 'entry.2' };
    const [own, objects] = [
      valueAtPath(entry, 'attributes', names),
      valueAtPath(entry, 'object_attributes', names),
    ];
    const passing = all([
      `JSONExtractString(entry.1, 'object_type_id') = ${quoted(objectType)}`,
      ...(objectId === null ? [] : [`JSONExtractString(entry.1, 'object_id') = ${quoted(objectId)}`]),
      ...where.map(({ path, check }) => checkSql(check, valueAtPath(own, path, names), now)),
      ...objectWhere.map(({ path, check }) => checkSql(check, valueAtPath(objects, path, names), now)),
    ]);
    const people = `workspace = ${quoted(this.#options.workspace)} AND aspect = 'profile' AND state = 'alive'`;
    const entries = `arrayJoin(arrayZip(JSONExtractArrayRaw(${list.raw}), JSONExtractArrayRaw(${list.exact})))`;
    const rows = `SELECT person_id, ${entries} AS entry FROM stored_people FINAL WHERE ${people}`;
    const who = `${names.with}SELECT person_id FROM (${rows}) WHERE ${passing} GROUP BY person_id HAVING count() >= ${String(marksNeeded(count))}`;
    return isAtMost(count) ? `(person_id NOT IN (${who}))` : `(person_id IN (${who}))`;
  }

  /** What a condition finds at a path of a person: an identifier, an attribute, or what the product knows. */
  #attribute(path: string): Value {
    const names = this.#names;
    switch (path) {
      case 'id':
      case 'email':
        return textValue(path, names);
      case 'cio_id':
        return textValue('person_id', names);
      case 'created_at':
        return this.#orElse(path, secondsJson(timeOf(this.#sent('createdAt'))));
      case 'first_seen_at':
        return this.#orElse(path, secondsJson('toUnixTimestamp64Milli(first_seen_at)'));
      default:
        return this.#sent(path);
    }
  }

  #sent(path: string): Value {
    const names = this.#names;
    const { raw, exact } = readTwice(names.of("ifNull(attributes, '{}')"));
    return valueAtPath({ raw: names.of(raw), exact: names.of(exact) }, path, names);
  }

  #orElse(path: string, known: string): Value {
    const sent = this.#sent(path);
    const orElse = (text: string) => this.#names.of(`if(JSONType(${sent.raw}) = 'Null', ${known}, ${text})`);
    return { raw: orElse(sent.raw), exact: orElse(sent.exact) };
  }
}

/** @param ms Nullable. */
function secondsJson(ms: string): string {
  return `ifNull(toString(${ms} / 1000), '')`;
}
