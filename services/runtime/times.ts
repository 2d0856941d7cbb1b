/**
 * Times as clients send them. Track says unix seconds and Pipelines ISO 8601, and a number or text that says a time in
 * another common form says it all the same; what says none counts as absent, as does a zero (contract, *Words*). Pure.
 */
import { timestampMsMax, timestampMsMin } from '../../schemas/http/limits.ts';

export type ReadTime =
  /** Nothing was sent. */
  | { readonly type: 'absent' }
  /** ms. `otherwise`: why it is another than what was said. */
  | { readonly type: 'time'; readonly ms: number; readonly otherwise?: 'time_out_of_range' | 'seconds_as_ms' }
  /** Nobody's event: what code and databases have for no time at all. */
  | { readonly type: 'zero' }
  | { readonly type: 'unreadable' };

const absent: ReadTime = { type: 'absent' };
const zero: ReadTime = { type: 'zero' };
const unreadable: ReadTime = { type: 'unreadable' };

/** A longer text is no time. */
const CHARS_MAX = 100;
const NUMBER = /^[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?$/;

/** Pipelines: text of ISO 8601, of RFC 2822 and as JavaScript prints it; a number by its size. */
export function readTime(value: unknown): ReadTime {
  if (typeof value === 'number') return ofNumber(value, unitOf(value));
  if (typeof value !== 'string') return value === undefined || value === null ? absent : unreadable;
  const text = value.trim();
  if (text === '') return absent;
  if (text.length > CHARS_MAX) return unreadable;
  const compact = NUMBER.test(text) ? fromCompact(text) : undefined;
  if (compact === undefined && NUMBER.test(text)) return ofNumber(Number(text), unitOf(Number(text)));
  return compact ?? ofText(text);
}

/** Track: a number is unix seconds, whatever its size (spec A.0, *Times*). */
export function readUnixSeconds(value: unknown): ReadTime {
  if (typeof value === 'number') return ofNumber(value, SECOND_MS);
  if (typeof value === 'string' && value.length <= CHARS_MAX && NUMBER.test(value.trim())) {
    return fromCompact(value.trim()) ?? ofNumber(Number(value), SECOND_MS);
  }
  return readTime(value);
}

/** What says when a person signed up, in Track's words and in those of Pipelines. */
export const createdTimes = { created_at: readUnixSeconds, createdAt: readTime } as const;

/** A number, or digits, that as seconds is beyond all times and as milliseconds is one of today. */
export function looksLikeMs(value: unknown): boolean {
  const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : value;
  return typeof number === 'number' && number >= SECONDS_END && number <= timestampMsMax;
}

const SECOND_MS = 1_000;
/** Year 5138 in seconds, 1973 in ms: no event lies beyond the one or before the other. */
const SECONDS_END = 1e11;
const MS_END = 1e14;
const MICROSECONDS_END = 1e17;

function unitOf(value: number): number {
  const size = Math.abs(value);
  if (size < SECONDS_END) return SECOND_MS;
  if (size < MS_END) return 1;
  return size < MICROSECONDS_END ? 1e-3 : 1e-6;
}

function ofNumber(value: number, unitMs: number): ReadTime {
  if (value === 0) return zero;
  // -1 is what code sends for "no time".
  return Number.isFinite(value) && value !== -1 ? within(Math.round(value * unitMs)) : unreadable;
}

const HOUR_MS = 3_600_000;
/** A zero that was written in one zone and read in another. */
const zoneMsMax = 14 * HOUR_MS;

/** The zeros of Go, .NET and Windows (years 1 and 1601), and of spreadsheets and databases (1899-12-30 to 1900-01-01). */
function within(ms: number): ReadTime {
  if (ms <= timestampMsMin + zoneMsMax) return zero;
  return ms > timestampMsMax
    ? { type: 'time', ms: timestampMsMax, otherwise: 'time_out_of_range' }
    : { type: 'time', ms };
}

/** A day that is in no calendar, or before all that have one. */
const ZERO_DAY = /^0000-\d\d-\d\d(?!\d)/;
const ISO =
  /^([+-]?\d{4,6})-(\d{2})(?:-(\d{2}))?(?:(?:T| {1,3})(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?(?: ?(Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{2}(?::?\d{2})?))?(?:\[[\w/+-]+\])?$/i;
/** The year first says which is the month. */
const SLASHES = /^(\d{4})\/(\d{2})\/(\d{2})(?!\d)/;
/** .NET's, with the ms and a zone that changes nothing. */
const JSON_DATE = /^\/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\/$/;
const RFC_2822 =
  /^(?:[a-z]{3,9},? )?(\d{1,2})[ -]([a-z]{3})[a-z]*[ -](\d{4}|\d{2}),? (\d{2}):(\d{2})(?::(\d{2}))?(?: ?(Z|[a-z]{2,4}|[+-]\d{2}:?\d{2}))?(?: \([^)]*\))?$/i;
/** `Tue Mar 05 2024 10:00:00 GMT+0100 (Central European Standard Time)`, and C's form with the year behind. */
const PRINTED =
  /^[a-z]{3,9},? ([a-z]{3})[a-z]* {1,2}(\d{1,2})(?:,? (\d{4}))?,? (\d{2}):(\d{2}):(\d{2})(?: (?:GMT|UTC)?([+-]\d{2}:?\d{2})?)?(?: \([^)]*\))?(?: (\d{4}))?$/i;
const COMPACT = /^((?:19|20)\d{2})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})Z?)?$/;

interface Parts {
  readonly year: string | undefined;
  /** From 1. */
  readonly month: number;
  readonly day?: string | undefined;
  readonly clock?: readonly (string | undefined)[];
  /** Digits behind the second. */
  readonly fraction?: string | undefined;
  readonly zone?: string | undefined;
}

function ofText(text: string): ReadTime {
  if (ZERO_DAY.test(text)) return zero;
  const ms = timeOf(partsOf(text.replace(SLASHES, '$1-$2-$3'))) ?? msOfJsonDate(text);
  return ms === undefined ? (fromCompact(text) ?? unreadable) : ofDate(ms);
}

/** In ms the seconds of 2001 to 2043 lie in January 1970, in which nobody had an event. */
const SECONDS_AS_MS = { from: 1e9, to: 2.3e9 };

/** A date, unlike a number, was made from one: from a zero, in whatever zone, or from seconds that were taken for ms. */
function ofDate(ms: number): ReadTime {
  if (Math.abs(ms) <= zoneMsMax) return zero;
  if (ms < SECONDS_AS_MS.from || ms > SECONDS_AS_MS.to) return within(ms);
  return { type: 'time', ms: ms * SECOND_MS, otherwise: 'seconds_as_ms' };
}

function msOfJsonDate(text: string): number | undefined {
  const ms = JSON_DATE.exec(text)?.[1];
  return ms === undefined ? undefined : Number(ms);
}

function partsOf(text: string): Parts | undefined {
  const iso = ISO.exec(text);
  if (iso !== null) {
    const [, year, month, day, hour, minute, second, fraction, zone] = iso;
    return { year, month: Number(month), day, clock: [hour, minute, second], fraction, zone };
  }
  const rfc = RFC_2822.exec(text);
  if (rfc !== null) {
    const [, day, month = '', year = '', hour, minute, second, zone] = rfc;
    const full = year.length === 2 ? `${Number(year) < 50 ? '20' : '19'}${year}` : year;
    return { year: full, month: monthOf(month), day, clock: [hour, minute, second], zone };
  }
  const printed = PRINTED.exec(text);
  if (printed === null) return undefined;
  const [, month = '', day, year, hour, minute, second, zone, late] = printed;
  return { year: year ?? late, month: monthOf(month), day, clock: [hour, minute, second], zone };
}

/** `20240305` and `20240305T100000Z`; undefined for any other number or text. */
function fromCompact(text: string): ReadTime | undefined {
  const [, year, month, day, hour, minute, second] = COMPACT.exec(text) ?? [];
  const ms = timeOf({ year, month: Number(month), day, clock: [hour, minute, second] });
  return ms === undefined ? undefined : within(ms);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function monthOf(name: string): number {
  return MONTHS.indexOf(name.toLowerCase()) + 1;
}

/** ms; undefined for a day or an hour that does not exist. Without a zone: UTC. A leap second is the second after it. */
function timeOf(parts: Parts | undefined): number | undefined {
  if (parts?.year === undefined) return undefined;
  const { month, clock = [] } = parts;
  const [year, day] = [Number(parts.year), Number(parts.day ?? '1')];
  const [hour = 0, minute = 0, second = 0] = clock.map((each) => Number(each ?? '0'));
  const offset = offsetOf(parts.zone ?? 'Z');
  if (month < 1 || month > 12 || hour > 24 || minute > 59 || second > 60 || offset === undefined)
    return undefined;
  if (hour === 24 && minute + second > 0) return undefined;
  if (day < 1 || day > new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()) return undefined;
  const midnight = new Date(0).setUTCFullYear(year, month - 1, day);
  const fraction = Math.floor(Number(`0.${parts.fraction ?? '0'}`) * SECOND_MS + 1e-6);
  const ms = midnight + ((hour * 60 + minute) * 60 + second) * SECOND_MS + fraction - offset * 60 * SECOND_MS;
  return Number.isNaN(ms) ? undefined : ms;
}

const ZONES: Readonly<Record<string, number>> = {
  z: 0,
  ut: 0,
  utc: 0,
  gmt: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  cet: 60,
  cest: 120,
};

/** Minutes ahead of UTC. */
function offsetOf(zone: string): number | undefined {
  const offset = zone.replace(/^(?:UTC|GMT)(?=[+-])/i, '');
  const sign = offset.startsWith('-') ? -1 : 1;
  if (!/^[+-]/.test(offset)) return ZONES[offset.toLowerCase()];
  const digits = offset.slice(1).replace(':', '');
  const [hours, minutes] = [Number(digits.slice(0, 2)), Number(digits.slice(2) || '0')];
  return hours > 14 || minutes > 59 ? undefined : sign * (hours * 60 + minutes);
}

/** A device's clock may be off by so much before its times are moved. */
const skewMsMax = 60_000;

export interface DeviceTimes {
  readonly timestamp: number;
  /** When the device says that it sent the call. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/**
 * The event's time by our clock, where the device's is off: as long before the receive time as the device's clock says
 * that it happened before it sent the call. undefined: the clock is right.
 */
export function withoutSkew({ timestamp, sentAt, receivedAt }: DeviceTimes): number | undefined {
  if (Math.abs(receivedAt - sentAt) <= skewMsMax) return undefined;
  return receivedAt - Math.max(0, sentAt - timestamp);
}
