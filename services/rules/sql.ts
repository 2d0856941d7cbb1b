/**
 * A rule as SQL over the views `people`, `events` and `segment_memberships`: who would be in this? The same answer as
 * evaluate.ts gives, which promise 5 tests on the real engine.
 */
import type { Condition, EventCondition, Segment } from './condition.ts';
import { ADDRESS } from './matching.ts';
import { all, any, moment, quoted } from './sql-text.ts';
import { checkSql, distinctKey, rawAt, timeOf } from './sql-values.ts';
import { marksNeeded } from './windows.ts';
import { unreachable } from '../runtime/errors.ts';

export interface SqlOptions {
  readonly workspace: string;
  /** ms: the time for which the question is asked. */
  readonly now: number;
  /** Segments that conditions refer to. */
  readonly segment: (segmentId: string) => Segment | undefined;
}

/** SELECT of one column, `person_id`: the people for whom the condition holds. */
export function peopleSql(condition: Condition, options: SqlOptions): string {
  const holds = new SqlWriter(options).condition(condition);
  return `SELECT person_id FROM people WHERE workspace = ${quoted(options.workspace)} AND ${holds}`;
}

const ATTRIBUTES = "ifNull(attributes, '{}')";
const PROPERTIES = "ifNull(properties, '{}')";
const EVENT_TIME = 'least(timestamp, received_at)';

class SqlWriter {
  readonly #options: SqlOptions;
  /** Segments being written, outermost first: one that comes again is a circle. */
  readonly #open: string[] = [];

  constructor(options: SqlOptions) {
    this.#options = options;
  }

  condition(condition: Condition): string {
    switch (condition.type) {
      case 'all':
        return all(condition.of.map((branch) => this.condition(branch)));
      case 'any':
        return any(condition.of.map((branch) => this.condition(branch)));
      case 'not':
        return `(NOT ${this.condition(condition.of)})`;
      case 'event':
        return this.#event(condition);
      case 'attribute':
        return checkSql(
          condition.check,
          attributeRaw(condition.path),
          `toInt64(${String(this.#options.now)})`,
        );
      case 'segment':
        return this.#segment(condition.segmentId);
      default:
        return unreachable(condition);
    }
  }

  #event(condition: EventCondition): string {
    const { name, eventType, where, count, withinMs } = condition;
    const { workspace, now } = this.#options;
    const tests = where.map(({ path, check }) =>
      checkSql(check, propertyRaw(path), `toUnixTimestamp64Milli(${EVENT_TIME})`),
    );
    const counted = all([
      `workspace = ${quoted(workspace)}`,
      `name = ${quoted(name)}`,
      ...(eventType === null ? [] : [`type = ${quoted(eventType)}`]),
      ...(withinMs === null ? [] : [`${EVENT_TIME} > ${moment(now - withinMs)}`]),
      ...tests,
    ]);
    const value =
      count.type === 'distinct' ? `uniqExact(${distinctKey(propertyRaw(count.path))})` : 'count()';
    const who = `SELECT person_id FROM events WHERE ${counted} GROUP BY person_id HAVING ${value} >= ${String(marksNeeded(count))}`;
    return count.type === 'at_most' ? `(person_id NOT IN (${who}))` : `(person_id IN (${who}))`;
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
    const text = this.condition(segment.when);
    this.#open.pop();
    return text;
  }
}

/** JSON text of a property, or of a page's address (matching.ts). */
function propertyRaw(path: string): string {
  const sent = rawAt(PROPERTIES, path);
  if (path !== ADDRESS) return sent;
  const address = "toJSONString(extract(assumeNotNull(name), '^[^?#]*'))";
  return orElse(sent, `if(type = 'page' AND isNotNull(name), ${address}, '')`);
}

/** JSON text of what a condition finds at a path of a person: an identifier, an attribute, or what the product knows. */
function attributeRaw(path: string): string {
  switch (path) {
    case 'id':
    case 'email':
      return `if(isNull(${path}), '', toJSONString(assumeNotNull(${path})))`;
    case 'cio_id':
      return 'toJSONString(person_id)';
    case 'created_at':
      return orElse(rawAt(ATTRIBUTES, path), secondsJson(timeOf(rawAt(ATTRIBUTES, 'createdAt'))));
    case 'first_seen_at':
      return orElse(rawAt(ATTRIBUTES, path), secondsJson('toUnixTimestamp64Milli(first_seen_at)'));
    default:
      return rawAt(ATTRIBUTES, path);
  }
}

/** @param sent, known JSON texts. */
function orElse(sent: string, known: string): string {
  return `if(JSONType(${sent}) = 'Null', ${known}, ${sent})`;
}

/** @param ms Nullable. */
function secondsJson(ms: string): string {
  return `ifNull(toString(${ms} / 1000), '')`;
}
