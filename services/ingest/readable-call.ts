/**
 * A Pipelines call as far as it can be read: PHP's empty list is an empty object, and a member of a wrong type is left
 * out. Strict mode refuses the call for the latter.
 */
import type { NotedCall } from './corrections.ts';
import { isObject, type SentObject } from './json-text.ts';
import { refused } from './translation.ts';

const BAGS = ['traits', 'properties', 'context'] as const;
const NAMES = ['userId', 'anonymousId'] as const;

export function readable(call: NotedCall, sent: SentObject): SentObject {
  const given: Record<string, unknown> = {};
  const without: string[] = [];
  for (const field of BAGS) {
    const value = sent.value[field];
    if (value === undefined || value === null || isObject(value)) continue;
    if (isEmptyList(value)) {
      given[field] = {};
      call.corrections.push({ field, sent: value, kept: '{}', why: 'empty_list' });
    } else {
      without.push(field);
      leaveOut(call, { field, value, text: `${field} must be an object`, why: 'not_an_object' });
    }
  }
  for (const field of NAMES) {
    const value = sent.value[field];
    if (value === undefined || value === null || typeof value === 'string' || Number.isFinite(value))
      continue;
    without.push(field);
    leaveOut(call, { field, value, text: `${field} must be a string or a number`, why: 'not_a_name' });
  }
  const isAsSent = without.length === 0 && Object.keys(given).length === 0;
  return isAsSent ? sent : sent.amended(without, given);
}

interface LeftOut {
  readonly field: string;
  readonly value: unknown;
  readonly text: string;
  readonly why: 'not_an_object' | 'not_a_name';
}

function leaveOut(call: NotedCall, { field, value, text, why }: LeftOut): void {
  call.strictFaults.push(refused('invalid_call', field, text));
  call.corrections.push({ field, sent: value, kept: null, why });
}

export function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
