/**
 * What an edit or a removal does to those who are in, where that is more than the rule says: runs that wait are forgotten, a
 * segment lets everybody go, or others ask for what is no more. Asked before it is stored, of what is stored then.
 */
import type { Fault } from '../../schemas/http/app.ts';
import type { StoredDefinition } from '../runtime/definitions.ts';
import { membersNow } from './members-now.ts';
import type { DefinitionsStore, Query } from './ports.ts';
import { storedJourney } from './stored-rules.ts';
import { usersOf } from './segments/users.ts';

/** Named in a message, of each kind. */
const usersNamedMax = 10;

/** @param body of the new version, which has no faults. */
export async function editWarnings(
  query: Query,
  before: StoredDefinition | undefined,
  body: unknown,
): Promise<readonly Fault[]> {
  if (before === undefined) return [];
  if (before.kind === 'journey') return waitingForgotten(before.body, body);
  if (before.kind !== 'segment' || typeOf(before.body) === typeOf(body)) return [];
  const { workspace, id } = before;
  const members = (await membersNow(query, workspace, [id]))?.get(id);
  return members === 0 ? [] : [leaving(typeOf(body), members)];
}

export function removalWarnings(
  definitions: Pick<DefinitionsStore, 'list'>,
  { kind, workspace, id, body }: StoredDefinition,
): readonly Fault[] {
  if (kind === 'journey') return waitingForgotten(body, null);
  if (kind !== 'segment') return [];
  const { journeys, segments } = usersOf(definitions, workspace, id);
  if (journeys.length + segments.length === 0) return [];
  const users = [named('journey', journeys), named('segment', segments)].filter((text) => text !== '');
  const message = `it is asked for by ${users.join(' and by ')}: for them nobody is in it from now on`;
  return [{ pointer: '', code: 'still_used', message }];
}

/** Whether a run that waits in the one is forgotten by the other. @param after null: it is removed. */
export function forgetsWaiting(before: unknown, after: unknown): string | undefined {
  const [was, is] = [storedJourney(before), storedJourney(after)];
  if (was?.trigger.type !== 'stall' || was.state !== 'running') return undefined;
  if (is === undefined) return '';
  if (triggerOf(before) !== triggerOf(after)) return '/trigger';
  if (was.key !== is.key) return '/key';
  return is.state === 'running' ? undefined : '/state';
}

function waitingForgotten(before: unknown, after: unknown): readonly Fault[] {
  const pointer = forgetsWaiting(before, after);
  if (pointer === undefined) return [];
  return [{ pointer, code: 'waiting_forgotten', message: FORGOTTEN[pointer] ?? '' }];
}

const ANEW = 'so whoever waits in it now is forgotten: only what comes from now on begins anew';
const FORGOTTEN: Readonly<Record<string, string>> = {
  '': `the journey is no more, ${ANEW}`,
  '/trigger': `the trigger is another, ${ANEW}`,
  '/key': `the key is another, ${ANEW}`,
  '/state':
    'the journey runs no more: who waits in it is forgotten as soon as their time is up or they do anything, also if it runs again later',
};

function leaving(type: unknown, members: number | undefined): Fault {
  const who =
    members === undefined
      ? 'whoever is in it'
      : members === 1
        ? 'the only member'
        : `the ${String(members)} who are in it`;
  const message =
    type === 'manual'
      ? `${who} went in by the rule, and nobody has put them into this one: all of them leave`
      : `${who} were put in by call: of them stay those of whom the rule holds, and the others leave`;
  return { pointer: '/type', code: 'members_leave', message };
}

function named(kind: string, ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const more = ids.length > usersNamedMax ? ` and ${String(ids.length - usersNamedMax)} more` : '';
  return `${kind}${ids.length === 1 ? '' : 's'} ${ids.slice(0, usersNamedMax).join(', ')}${more}`;
}

/** As written: what waits is kept under the trigger's text. */
function triggerOf(body: unknown): string {
  return JSON.stringify((body as { readonly trigger?: unknown }).trigger); // of a journey that was read
}

function typeOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined;
}
