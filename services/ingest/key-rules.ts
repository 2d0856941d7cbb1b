/**
 * What a key of kind browser may not do. It stands in every page, so it is anybody's; a person who is deleted, suppressed
 * or made part of another is not brought back by the next page view. A workspace that wants it says so. Pure.
 */
import type { KnownKey } from '../runtime/caller.ts';
import type { WorkspaceSettings } from '../runtime/workspace-settings.ts';
import type { BarredCall } from './barred-call.ts';
import { isDeletion } from './translate-object.ts';
import { isUnrelating } from './translate-relationships.ts';
import { refused, type Outcome, type Refusal } from './translation.ts';

const nothing: ReadonlySet<BarredCall> = new Set();

type Allowances = Pick<
  WorkspaceSettings,
  'browser_keys_may_delete' | 'browser_keys_may_suppress' | 'browser_keys_may_alias'
>;

export function barredCalls(key: KnownKey | undefined, settings: Allowances): ReadonlySet<BarredCall> {
  if (key?.kind !== 'browser') return nothing;
  const barred = new Set<BarredCall>();
  if (!settings.browser_keys_may_delete) barred.add('delete');
  if (!settings.browser_keys_may_suppress) barred.add('suppress');
  if (!settings.browser_keys_may_alias) barred.add('alias').add('rename');
  return barred;
}

/** @returns why the call is not for this key; undefined when it is. */
export function barredBy(
  barred: ReadonlySet<BarredCall> | undefined,
  outcomes: readonly Outcome[],
): Refusal | undefined {
  if (barred === undefined || barred.size === 0) return undefined;
  for (const outcome of outcomes) {
    const asked = askedBy(outcome);
    if (asked !== undefined && barred.has(asked)) {
      const whom = outcome.type === 'event' ? whatOf(outcome) : 'people';
      const message = `a key of kind browser may not ${asked} ${whom}: call from a server, or set browser_keys_may_${asked}`;
      return refused('key_not_allowed', null, message);
    }
  }
  return undefined;
}

/** An object that is deleted is so for everybody who belongs to it. */
function askedBy(outcome: Outcome): BarredCall | undefined {
  if (outcome.type === 'control') return callOf(outcome.request.kind);
  return isDeletion(outcome) || isUnrelating(outcome) ? 'delete' : undefined;
}

function whatOf(outcome: Outcome): string {
  return isUnrelating(outcome) ? 'relationships of people' : 'objects';
}

type ControlKind = Extract<Outcome, { type: 'control' }>['request']['kind'];

function callOf(kind: ControlKind): BarredCall | undefined {
  switch (kind) {
    case 'delete':
      return 'delete';
    case 'suppress':
    case 'unsuppress':
      return 'suppress';
    case 'merge':
      return 'alias';
    default:
      return undefined;
  }
}
