/**
 * Devices that somebody has (spec A.1 devices, D.1): of each token what was said last by the event's own time counts, and
 * what says that it is gone takes it away, as GET /v1/customers/{id}/attributes shows them. So a claim and a merge bring
 * devices along as they do all that was done.
 */
import { createHash } from 'node:crypto';
import type { DeviceCondition } from './condition.ts';
import { DEVICE_GONE, DEVICE_TOLD } from './device-names.ts';
import { devicesMax } from './limits.ts';
import type { RuleEvent } from './matching.ts';
import { compareText, passes } from './operators.ts';
import { isJsonObject, parseJsonObject, valueAt, type JsonObject } from './paths.ts';
import type { PatternTests } from './pattern-steps.ts';
import type { Mark, Marks } from './windows.ts';

/** What is asked of a device by these names is said in the event's context, all else among its properties. */
export const DEVICE_MEMBERS: Readonly<Record<string, string>> = {
  token: 'token',
  platform: 'type',
  last_used: 'last_used',
};

/** @param context JSON of the call, as it was kept. */
export function deviceIn(context: string | null): JsonObject | undefined {
  const { device } = parseJsonObject(context);
  return isJsonObject(device) ? device : undefined;
}

const HAS = '+';
const HAS_NOT = '-';

/** undefined: the event is about no device. */
export function deviceMark(
  { where }: DeviceCondition,
  event: RuleEvent,
  patterns?: PatternTests,
): Mark | undefined {
  if (event.type !== 'event' || (event.name !== DEVICE_TOLD && event.name !== DEVICE_GONE)) return undefined;
  const device = event.device?.();
  const token = device?.['token'];
  if (device === undefined || typeof token !== 'string' || token === '') return undefined;
  const isCounted =
    event.name === DEVICE_TOLD &&
    where.every(({ path, check }) => passes(check, askedOf(event, device, path), event.time, patterns));
  return [event.time, event.messageId, `${isCounted ? HAS : HAS_NOT}${hashOf(token)}`];
}

function askedOf(event: RuleEvent, device: JsonObject, path: string): unknown {
  const member = Object.hasOwn(DEVICE_MEMBERS, path) ? DEVICE_MEMBERS[path] : undefined;
  return member === undefined ? valueAt(event.properties(), path) : device[member];
}

/** One mark for each token, the latest; above the bound those told of longest ago are forgotten. */
export function rememberDevice(marks: Marks, mark: Mark): Marks {
  const same = marks.find((other) => tokenOf(other) === tokenOf(mark));
  if (same !== undefined && !isLaterOfDevice(mark, same)) return marks;
  const others = same === undefined ? marks : marks.filter((other) => other !== same);
  let at = 0;
  while (at < others.length && isLaterOfDevice(others[at], mark)) at += 1;
  return [...others.slice(0, at), mark, ...others.slice(at)].slice(0, devicesMax);
}

/** Of the tokens that somebody has, latest first: counted as events are (windows.ts). */
export function devicesThatPass(marks: Marks): Marks {
  return marks.filter(([, , value = '']) => value.startsWith(HAS));
}

export function isLaterOfDevice(a: Mark | undefined, b: Mark): boolean {
  if (a === undefined) return false;
  return a[0] === b[0] ? compareText(a[1], b[1]) > 0 : a[0] > b[0];
}

/** Its hash. */
export function tokenOf([, , value = '']: Mark): string {
  return value.slice(1);
}

/** A token may have thousands of bytes. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 22);
}
