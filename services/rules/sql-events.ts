/** What a person's events must be, as SQL over the view `events`: memory.ts, said again over the whole history. */
import { unreachable } from '../runtime/errors.ts';
import {
  matchersOf,
  type Check,
  type CountedCondition,
  type DeviceCondition,
  type EventCondition,
  type EventMatcher,
  type SequenceCondition,
  type StallCondition,
} from './condition.ts';
import { DEVICE_GONE, DEVICE_TOLD } from './device-names.ts';
import { DEVICE_MEMBERS } from './devices.ts';
import { ADDRESS, BOT } from './matching.ts';
import { readTwice } from './sql-numbers.ts';
import { all, any, int, moment, Names, quoted } from './sql-text.ts';
import { checkSql, distinctKey, textValue, valueAtPath, type Value } from './sql-values.ts';
import { isAtMost, marksNeeded } from './windows.ts';

export interface EventsOptions {
  readonly workspace: string;
  /** ms: what was merged later is not seen. */
  readonly now: number;
  readonly counter: { next: number };
}

/** An expression over `person_id`. */
export function eventsSql(condition: CountedCondition, options: EventsOptions): string {
  return new EventsSql(options).of(condition);
}

const EVENT_TIME = 'least(timestamp, received_at)';
const TIME_MS = `toUnixTimestamp64Milli(${EVENT_TIME})`;

class EventsSql {
  readonly #options: EventsOptions;
  readonly #names: Names;

  constructor(options: EventsOptions) {
    this.#options = options;
    this.#names = new Names(options.counter);
  }

  of(condition: CountedCondition): string {
    switch (condition.type) {
      case 'event':
        return this.#counted(condition);
      case 'stall':
        return condition.rearm === 'restart' ? this.#stall(condition) : this.#stallThatGoesOn(condition);
      case 'sequence':
        return this.#sequence(condition);
      case 'device':
        return this.#devices(condition);
      default:
        return unreachable(condition);
    }
  }

  #counted(condition: EventCondition): string {
    const { count, withinMs } = condition;
    // What comes under one message id at one time is one, as in windows.ts.
    const each = marksNeeded(count) === 1 ? 'count()' : `uniqExact(message_id, ${EVENT_TIME})`;
    const value = 'path' in count ? `uniqExact(${distinctKey(this.#property(count.path))})` : each;
    const rows = [...this.#since(withinMs), ...this.#matched(condition)];
    const who = this.#people(rows, `${value} >= ${String(marksNeeded(count))}`);
    return isAtMost(count) ? `(person_id NOT IN (${who}))` : `(person_id IN (${who}))`;
  }

  /** The newest A, and no B in the time after it. */
  #stall({ of, without, forMs, withinMs }: StallCondition): string {
    const [a, b] = [this.#flag(of), this.#flag(without)];
    const newest = `maxIf(${TIME_MS}, ${a})`;
    const answers = `arrayExists(b -> b > ${newest} AND b <= ${newest} + ${int(forMs)}, groupArrayIf(${TIME_MS}, ${b}))`;
    const isUp = all([`countIf(${a}) > 0`, ...this.#isUp(newest, forMs, withinMs)]);
    return `(person_id IN (${this.#people([any([a, b])], all([isUp, `NOT ${answers}`]))}))`;
  }

  /** Runs, from the first A on: (when it began, 0 none, 1 open, 2 answered). A B at the time of an A comes before it. */
  #stallThatGoesOn({ of, without, forMs, withinMs }: StallCondition): string {
    const [a, b] = [this.#flag(of), this.#flag(without)];
    const marks = (flag: string, kind: number) =>
      `arrayMap(t -> (t, ${String(kind)}), groupArrayIf(${TIME_MS}, ${flag}))`;
    const isIn = `m.1 <= run.1 + ${int(forMs)}`;
    const begins = `m.2 = 1 AND (run.2 != 1 OR NOT (${isIn})), (m.1, toUInt8(1))`;
    const answers = `m.2 = 0 AND run.2 = 1 AND ${isIn}, (run.1, toUInt8(2))`;
    const ordered = `arraySort(arrayConcat(${marks(a, 1)}, ${marks(b, 0)}))`;
    const last = `arrayFold((run, m) -> multiIf(${begins}, ${answers}, run), ${ordered}, (${int(0)}, toUInt8(0)))`;
    const holds = all([`${last}.2 = 1`, ...this.#isUp(`${last}.1`, forMs, withinMs)]);
    return `(person_id IN (${this.#people([any([a, b])], holds)}))`;
  }

  #isUp(start: string, forMs: number, withinMs: number | null): string[] {
    const now = int(this.#options.now);
    const isUp = `${start} + ${int(forMs)} <= ${now}`;
    return withinMs === null ? [isUp] : [isUp, `${start} + ${int(withinMs)} > ${now}`];
  }

  /** From the latest event back: (steps left, time of the last step). */
  #sequence(condition: SequenceCondition): string {
    const { steps, withinMs, without } = condition;
    const flags = matchersOf(condition).map((matcher) => this.#flag(matcher));
    const bits = flags.map((flag, step) => `${String(2 ** step)} * ${flag}`).join(' + ');
    const mark = `(${TIME_MS}, toUnixTimestamp64Milli(received_at), message_id, toUInt16(${bits}))`;
    const marks = `arrayReverseSort(groupArray(${mark}))`;
    const { length } = steps;
    const isNext = 'left.1 > 0 AND bitTest(m.4, if(left.1 > 0, left.1 - 1, 0))';
    const next = `(toUInt8(left.1 - 1), if(left.1 = ${String(length)}, m.1, left.2))`;
    const gone = `arrayFold((left, m) -> if(${isNext}, ${next}, left), ${marks}, (toUInt8(${String(length)}), ${int(0)}))`;
    const holds = [`${gone}.1 = 0`];
    if (without !== null) {
      const forMs = int(without.forMs);
      const isAnswer = `bitTest(m.4, ${String(length)}) AND m.1 > ${gone}.2 AND m.1 <= ${gone}.2 + ${forMs}`;
      holds.push(
        `${gone}.2 + ${forMs} <= ${int(this.#options.now)}`,
        `NOT arrayExists(m -> ${isAnswer}, ${marks})`,
      );
    }
    return `(person_id IN (${this.#people([...this.#since(withinMs), any(flags)], all(holds))}))`;
  }

  /** Of each token what was said last. */
  #devices({ where, count, withinMs }: DeviceCondition): string {
    const names = new Names(this.#options.counter);
    const { workspace, now } = this.#options;
    const context = readTwice(names.of("ifNull(context, '{}')"));
    const kept = { raw: names.of(context.raw), exact: names.of(context.exact) };
    const device = valueAtPath(kept, 'device', names);
    const told = where.map(({ path, check }) => {
      const member = Object.hasOwn(DEVICE_MEMBERS, path) ? DEVICE_MEMBERS[path] : undefined;
      const value = member === undefined ? this.#property(path, names) : valueAtPath(device, member, names);
      return this.#check(check, value);
    });
    const isTold = names.of(`ifNull(toUInt8(${all([`name = ${quoted(DEVICE_TOLD)}`, ...told])}), 0)`);
    const { raw } = valueAtPath(device, 'token', names);
    const token = `if(JSONType(${raw}) = 'String', JSONExtractString(${raw}), '')`;
    const newest = `argMax((${isTold}, ${TIME_MS}), (${TIME_MS}, message_id))`;
    const about = all([
      `workspace = ${quoted(workspace)}`,
      `type = 'event' AND name IN (${quoted(DEVICE_TOLD)}, ${quoted(DEVICE_GONE)})`,
      `merged_at <= ${moment(now)}`,
    ]);
    const devices = `${names.with}SELECT person_id, ${token} AS token, ${newest} AS newest FROM events WHERE ${about} GROUP BY person_id, token`;
    const within = withinMs === null ? '' : ` AND newest.2 > ${int(now - withinMs)}`;
    const who = `SELECT person_id FROM (${devices}) WHERE token != '' AND newest.1 = 1${within} GROUP BY person_id HAVING count() >= ${String(marksNeeded(count))}`;
    return isAtMost(count) ? `(person_id NOT IN (${who}))` : `(person_id IN (${who}))`;
  }

  #people(rows: readonly string[], having: string): string {
    const { workspace, now } = this.#options;
    const where = all([`workspace = ${quoted(workspace)}`, ...rows, `merged_at <= ${moment(now)}`]);
    return `${this.#names.with}SELECT person_id FROM events WHERE ${where} GROUP BY person_id HAVING ${having}`;
  }

  #since(withinMs: number | null): string[] {
    return withinMs === null ? [] : [`${EVENT_TIME} > ${moment(this.#options.now - withinMs)}`];
  }

  /** 1 or 0. */
  #flag(matcher: EventMatcher): string {
    return this.#names.of(`ifNull(toUInt8(${all(this.#matched(matcher))}), 0)`);
  }

  #matched({ name, nameCheck, eventType, where }: EventMatcher): string[] {
    return [
      ...(name === null ? [] : [`name = ${quoted(name)}`]),
      ...(nameCheck === null ? [] : [this.#check(nameCheck, textValue('name', this.#names))]),
      ...(eventType === null ? [] : [`type = ${quoted(eventType)}`]),
      ...where.map(({ path, check }) => this.#check(check, this.#property(path))),
    ];
  }

  #check(check: Check, value: Value): string {
    return checkSql(check, value, TIME_MS);
  }

  /** A property, a page's address, or the mark of a program (matching.ts). */
  #property(path: string, names = this.#names): Value {
    const { raw, exact } = readTwice(names.of("ifNull(properties, '{}')"));
    const sent = valueAtPath({ raw: names.of(raw), exact: names.of(exact) }, path, names);
    if (path !== ADDRESS && path !== BOT) return sent;
    const address = "toJSONString(extract(assumeNotNull(name), '^[^?#]*'))";
    const known =
      path === BOT ? "if(bot, 'true', '')" : `if(type = 'page' AND isNotNull(name), ${address}, '')`;
    const orElse = (text: string) => names.of(`if(JSONType(${sent.raw}) = 'Null', ${known}, ${text})`);
    return { raw: orElse(sent.raw), exact: orElse(sent.exact) };
  }
}
