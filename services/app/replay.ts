/**
 * `POST /v1/definitions/journeys/{id}/replay`: who would have entered a journey in a past range, and who would have been
 * skipped and why; `GET …/rehearse?person=…&at=…`: what it would do with one person at a moment, past or to come. Nobody
 * enters anything. The service that decides is asked (contract, *Definitions*).
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/http/app.ts';
import { definitionBytesMax } from '../../schemas/http/limits.ts';
import type { Workspace } from '../../schemas/ids.ts';
import { parseJourney } from '../rules/parse.ts';
import { isJsonObject, type JsonObject } from '../rules/paths.ts';
import { answer, badRequest, notFound, readBody, unauthorized, workspaceOf } from './answers.ts';
import { find, namedBy, readIdentifiers } from './customers/people.ts';
import type { Journey } from '../rules/condition.ts';
import { unknownKeyText, type Parsed } from '../rules/faults.ts';
import type {
  AnsweredReplay,
  AppKeys,
  ComesBy,
  DefinitionsStore,
  Query,
  ReplayedOutcome,
  RulesView,
} from './ports.ts';
import { readAsked } from './explain/asked.ts';
import { fromEvents } from './explain/from-events.ts';
import { timeForms, timeOf } from './query-times.ts';
import { journeyFaults } from './references.ts';
import { contentWarnings } from './rule-warnings.ts';

export interface ReplayOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: DefinitionsStore;
  readonly query: Query;
  readonly rules: Pick<RulesView, 'replay' | 'rehearse' | 'explain'>;
}

type IdRequest = FastifyRequest<{ Params: { id: string } }>;

/** Longer than a year of events is asked for in parts. */
const rangeMsMax = 366 * 86_400_000;
const retryAfterS = 10;

export function mountReplay(app: FastifyInstance, options: ReplayOptions): void {
  const url = '/v1/definitions/journeys/:id';
  app.post(`${url}/replay`, (request: IdRequest, reply) => replay(options, request, reply));
  app.get(`${url}/rehearse`, (request: IdRequest, reply) => rehearse(options, request, reply));
}

async function replay(
  options: ReplayOptions,
  request: IdRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { keys, definitions, query, rules } = options;
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const { id } = request.params;
  const now = definitions.clock ?? Date.now();
  const asked = readReplay(definitions, workspace, request, now);
  if ('faults' in asked) return badRequest(reply, asked.faults);
  const isStored = definitions.get('journey', workspace, id) !== undefined;
  if (asked.body === null && !isStored) return notFound(reply, `journey ${id}`);
  const { journey, ...range } = asked;
  const answered = await rules.replay({ workspace, journeyId: id, ...range });
  if (answered.type === 'busy') return busy(reply);
  if (answered.type !== 'replayed') return notFound(reply, `journey ${id}`);
  const { sample, leftOut, next, people: lookedAt, of, entered, skipped } = answered;
  // What is only asked about is no version, and may never be one.
  const version = asked.body === null ? answered.version : null;
  const told = [...sample.entered, ...sample.skipped].map(({ personId }) => personId);
  const [people, warnings] = await Promise.all([
    readIdentifiers(query, workspace, [...new Set([...told, ...leftOut])]),
    journey === null ? [] : contentWarnings(query, { workspace, definition: journey }),
  ]);
  const byId = new Map(people.map((person) => [person.cio_id, person]));
  const shown = ({ personId, outcome }: (typeof sample.entered)[number]) => ({
    person: byId.get(personId) ?? { cio_id: personId, id: null, email: null },
    ...shownOutcome(outcome),
  });
  return answer(reply, 200, {
    rule: { id, version },
    from: new Date(asked.from).toISOString(),
    to: new Date(asked.to).toISOString(),
    by: asked.by,
    ...{ people: lookedAt, of, complete: next === null, entered, skipped },
    without_trigger: answered.withoutTrigger,
    ...{ arrived_late: answered.arrivedLate, other_way: answered.otherWay },
    says: inWords(answered, asked.by),
    sample: { entered: sample.entered.map(shown), skipped: sample.skipped.map(shown) },
    ...(leftOut.length === 0
      ? {}
      : { left_out: leftOut.map((personId) => byId.get(personId) ?? { cio_id: personId }) }),
    next: next ?? '',
    ...(warnings.length > 0 && { warnings }),
  });
}

type Replayed = Extract<AnsweredReplay, { readonly type: 'replayed' }>;

/** One sentence after the other: what came of those who were looked at, how far it is, and what came late. */
function inWords(answered: Replayed, by: ComesBy): string {
  const { people, of, next } = answered;
  const looked = `Of ${String(of)} people who may have triggered it ${String(people)} were looked at in this call`;
  const found = outcomeText(answered);
  const goesOn =
    next === null
      ? `${looked}, which are all that were left; ${found}.`
      : `${looked}; ${found}. It is not complete: ask again with this next as start, and add the counts.`;
  return [goesOn, ...lateText(answered, by)].join(' ');
}

function outcomeText({ entered, skipped, withoutTrigger }: Replayed): string {
  const reasons = Object.entries(skipped).map(([reason, count]) => `${reason} ${String(count)}`);
  const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const why = skips === 0 ? '' : ` (${reasons.join(', ')})`;
  const none =
    withoutTrigger === 0 ? '' : `; ${String(withoutTrigger)} of them had no trigger in the range after all`;
  return `they would have entered ${times(entered)} and been skipped ${times(skips)}${why}${none}`;
}

/** Nothing where both ways say the same. */
function lateText({ arrivedLate, otherWay }: Replayed, by: ComesBy): readonly string[] {
  const [other, means] =
    by === 'event_time'
      ? ['arrival', 'They count here when they happened; a journey that runs decides when they come.']
      : [
          'event_time',
          'They count here when they came, so what answers them may have come too late, as it does for a journey that runs.',
        ];
  const way = `"by": "${other}"`;
  const late = `Something of theirs was received more than a minute after it happened, as an import's is. Triggers that lead to something else, or at another time, with ${way}: ${String(arrivedLate)}. ${means}`;
  const more = `People who may have triggered it in this range with ${way} alone, and are not looked at here: ${String(otherWay)}.`;
  return [...(arrivedLate === 0 ? [] : [late]), ...(otherWay === 0 ? [] : [more])];
}

function times(count: number): string {
  return count === 1 ? 'once' : `${String(count)} times`;
}

interface AskedRange {
  /** null: what is stored. */
  readonly body: unknown;
  /** What the body says. */
  readonly journey: Journey | null;
  readonly from: number;
  readonly to: number;
  readonly by: ComesBy;
  readonly after: string;
}

const known = ['from', 'to', 'by', 'start', 'definition'];

function readReplay(
  definitions: DefinitionsStore,
  workspace: Workspace,
  request: FastifyRequest,
  now: number,
): AskedRange | { readonly faults: readonly Fault[] } {
  const read = readBody(request, definitionBytesMax);
  if (!read.ok) return { faults: [read.fault] };
  const faults: Fault[] = [];
  const given: JsonObject = isJsonObject(read.value) ? read.value : {};
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const message = unknownKeyText(key, known);
    faults.push({ pointer: `/${key}`, code: 'unknown_key', message });
  }
  const from = timeOf(given['from']);
  const to = given['to'] === undefined ? now : timeOf(given['to']);
  const { start = '', definition = null } = given;
  const by = readBy(given['by'], faults);
  if (from === undefined) faults.push(noTime('from', given['from'] === undefined));
  if (to === undefined) faults.push(noTime('to', false));
  if (typeof start !== 'string') {
    faults.push({ pointer: '/start', code: 'wrong_type', message: 'start is the next of a call before' });
  }
  if (from !== undefined && to !== undefined) faults.push(...rangeFaults(from, to, now));
  const parsed = definition === null ? undefined : parseJourney(definition);
  if (parsed !== undefined) faults.push(...definitionFaults(definitions, workspace, parsed));
  if (faults.length > 0 || from === undefined || to === undefined || typeof start !== 'string')
    return { faults };
  const journey = parsed?.ok === true ? parsed.value : null;
  return { body: definition, journey, from, to, by, after: start };
}

function readBy(value: unknown, faults: Fault[]): ComesBy {
  if (value === undefined || value === 'event_time' || value === 'arrival') return value ?? 'event_time';
  const message = 'must be one of event_time (as it happened), arrival (as it was received)';
  faults.push({ pointer: '/by', code: 'unknown_value', message });
  return 'event_time';
}

function noTime(key: string, isMissing: boolean): Fault {
  const code = isMissing ? 'required' : 'wrong_type';
  return { pointer: `/${key}`, code, message: `${key} is ${timeForms}` };
}

function rangeFaults(from: number, to: number, now: number): readonly Fault[] {
  if (to > now)
    return [{ pointer: '/to', code: 'out_of_range', message: 'to lies in the past, or is left out' }];
  if (from >= to) return [{ pointer: '/from', code: 'out_of_range', message: 'from lies before to' }];
  if (to - from <= rangeMsMax) return [];
  return [
    { pointer: '/from', code: 'out_of_range', message: 'a range has at most 366 days: ask for it in parts' },
  ];
}

function definitionFaults(
  definitions: DefinitionsStore,
  workspace: Workspace,
  parsed: Parsed<Journey>,
): readonly Fault[] {
  const faults = parsed.ok ? journeyFaults(definitions, workspace, parsed.value) : parsed.faults;
  return faults.map((fault) => ({ ...fault, pointer: `/definition${fault.pointer}` }));
}

async function rehearse(
  { keys, definitions, query, rules }: ReplayOptions,
  request: IdRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const now = definitions.clock ?? Date.now();
  const given = request.query as Record<string, unknown>; // Fastify's parsed query
  const read = readAsked('journey', given);
  if ('faults' in read) return badRequest(reply, read.faults);
  const faults: Fault[] = [];
  const by = readBy(given['by'], faults);
  if (faults.length > 0) return badRequest(reply, faults);
  const { person, key } = read;
  const at = read.at ?? now;
  const { id: journeyId } = request.params;
  const stored = definitions.get('journey', workspace, journeyId);
  if (stored === undefined) return notFound(reply, `journey ${journeyId}`);
  const of = { workspace, kind: 'journey', body: stored.body, at } as const;
  const named = namedBy(person, undefined);
  const personId = 'fault' in named ? undefined : await find(query, workspace, named);
  if (personId === undefined) return notFound(reply, `person ${person}`);
  const asked = { workspace, personId, key, at };
  if (at >= now) {
    const answered = await rules.explain({
      ...asked,
      kind: 'journey',
      ruleId: journeyId,
      asIfRunning: true,
    });
    if (answered.type !== 'explained') return notFound(reply, `person ${person}`);
    const explained = await fromEvents(query, of, answered.explained);
    return answer(reply, 200, { ...explained, at: new Date(at).toISOString(), from: 'state' });
  }
  const answered = await rules.rehearse({ ...asked, journeyId, body: null, by });
  if (answered.type === 'person_too_dear') return badRequest(reply, [tooDear]);
  if (answered.type !== 'rehearsed') return notFound(reply, `person ${person}`);
  return answer(reply, 200, {
    ...(await fromEvents(query, of, answered.explained)),
    at: new Date(at).toISOString(),
    from: 'history',
    before: answered.before.map(shownOutcome),
  });
}

const tooDear: Fault = {
  pointer: '/person',
  code: 'limit_exceeded',
  message:
    'what the person did takes too long to go through by these rules: they have very many events, or the rules many conditions',
};

function shownOutcome(outcome: ReplayedOutcome): object {
  const { at, key, triggerMessageId } = outcome;
  const shared = { at: new Date(at).toISOString(), key, trigger_message_id: triggerMessageId };
  if (outcome.type === 'journey_entered')
    return { outcome: 'entered', ...shared, evidence: outcome.evidence };
  return { outcome: 'skipped', ...shared, reason: outcome.reason, detail: outcome.detail };
}

function busy(reply: FastifyReply): FastifyReply {
  const error = 'another replay is running: ask again when it has been answered';
  const body = { meta: { error, code: 'replay_running' } };
  return answer(reply.header('retry-after', String(retryAfterS)), 429, body);
}
