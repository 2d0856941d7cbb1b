/**
 * `GET /v1/trace?anonymous_id=…` or `?person=…`: the story of a visitor or a person in order, from what ClickHouse has;
 * with `order=timestamp` events stand at their own time. Of somebody of whom nothing is known it is 404. A story is told
 * from its newest rows: `truncated` says that older ones were left out.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { canonicalEmail, canonicalName } from '../../schemas/identifiers.ts';
import type { Fault } from '../../schemas/http/app.ts';
import { identifierBytesMax } from '../../schemas/http/limits.ts';
import type { Workspace } from '../../schemas/ids.ts';
import { canonicalIdentifier, identifierByShape } from '../../schemas/lanes.ts';
import { answer, badRequest, notFound, unauthorized, workspaceOf } from './answers.ts';
import { textOf } from './customers/people.ts';
import type { AppKeys, Query } from './ports.ts';
import { stepsOf, type Order, type Row, type Step } from './trace-steps.ts';

export interface TraceOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly query: Query;
}

/** Of each table. */
export const traceRowsMax = 2_000;
const namesMax = 10_000;
/** Merges that are followed from somebody absorbed to who is left. */
const mergesMax = 100;

export function mountTrace(app: FastifyInstance, options: TraceOptions): void {
  app.get('/v1/trace', (request, reply) => get(options, request, reply));
}

async function get(
  { keys, query }: TraceOptions,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const asked = request.query as Record<string, unknown>; // Fastify's parsed query
  const { anonymous_id: anonymousId, person, order = 'at' } = asked;
  if (order !== 'at' && order !== 'timestamp') {
    return badRequest(reply, [
      { pointer: '/order', code: 'out_of_range', message: 'order is at or timestamp' },
    ]);
  }
  const faults = [nameFault('anonymous_id', anonymousId), nameFault('person', person)].filter(
    (fault) => fault !== undefined,
  );
  if (faults.length > 0) return badRequest(reply, faults);
  if (typeof anonymousId === 'string' && person === undefined) {
    const story = await tell(query, await visitor(query, workspace, anonymousId), order);
    return story.steps.length === 0
      ? notFound(reply, `anonymous_id ${anonymousId}`)
      : answer(reply, 200, story);
  }
  if (typeof person === 'string' && anonymousId === undefined) {
    const subject = await known(query, workspace, person);
    if (subject === undefined) return notFound(reply, `person ${person}`);
    return answer(reply, 200, await tell(query, subject, order));
  }
  const message = 'give either anonymous_id or person';
  return badRequest(reply, [{ pointer: '', code: 'required', message }]);
}

/** Nobody has a name that no route takes. Measured as it is kept. */
function nameFault(field: 'anonymous_id' | 'person', value: unknown): Fault | undefined {
  if (typeof value !== 'string') return undefined;
  const kept = field === 'person' ? canonicalIdentifier(identifierByShape(value)).value : value;
  if (Buffer.byteLength(kept) <= identifierBytesMax) return undefined;
  const message = `${field} cannot be longer than ${String(identifierBytesMax)} bytes`;
  return { pointer: `/${field}`, code: 'limit_exceeded', message };
}

/** Whose story: a visitor, with the person who claimed it; or a person, with every visitor that it was. */
interface Subject {
  readonly workspace: Workspace;
  /** Empty: nobody yet. */
  readonly personId: string;
  readonly anonymousIds: readonly string[];
  /** Only what happened under the anonymous ids, and to their person; not the person's other events. */
  readonly visitorOnly: boolean;
}

async function visitor(query: Query, workspace: Workspace, anonymousId: string): Promise<Subject> {
  const [row] = await query(
    `SELECT person_id FROM identities
     WHERE workspace = {workspace:String} AND kind = 'anonymous_id' AND value = {value:String} LIMIT 1`,
    { workspace, value: canonicalName(anonymousId) },
  );
  return {
    workspace,
    personId: textOf(row?.['person_id']),
    anonymousIds: [canonicalName(anonymousId)],
    visitorOnly: true,
  };
}

async function known(query: Query, workspace: Workspace, name: string): Promise<Subject | undefined> {
  const rows = await query(
    `SELECT person_id FROM identities
     WHERE workspace = {workspace:String}
       AND ((kind IN ('id', 'cio_id') AND value = {value:String}) OR (kind = 'email' AND value = {email:String}))
     ORDER BY kind = 'email' LIMIT 1`,
    spellings(workspace, name),
  );
  const personId = textOf(rows[0]?.['person_id']) || (await former(query, workspace, name));
  if (personId === '') return undefined;
  const held = await query(
    `SELECT value FROM identities
     WHERE workspace = {workspace:String} AND kind = 'anonymous_id' AND person_id = {person:String}
     LIMIT {limit:UInt32}`,
    { workspace, person: personId, limit: namesMax },
  );
  const anonymousIds = held.map((row) => textOf(row['value']));
  return { workspace, personId, anonymousIds, visitorOnly: false };
}

/** The name in the form that it is kept in. */
function spellings(workspace: Workspace, name: string) {
  return { workspace, value: canonicalName(name), email: canonicalEmail(name) };
}

/** Whose the name was last, where it is nobody's today: who absorbed them, or somebody who was deleted. */
async function former(query: Query, workspace: Workspace, name: string): Promise<string> {
  const [row] = await query(
    `SELECT person_id FROM stored_facts
     WHERE workspace = {workspace:String}
       AND (person_id = {value:String} OR (identifier_kind IN ('id', 'email') AND identifier IN ({value:String}, {email:String})))
       AND person_id IS NOT NULL
     ORDER BY number DESC LIMIT 1`,
    spellings(workspace, name),
  );
  let personId = textOf(row?.['person_id']);
  for (let merges = 0; merges < mergesMax; merges += 1) {
    const [absorbed] = await query(
      `SELECT other_person_id FROM stored_facts
       WHERE workspace = {workspace:String} AND kind = 'person_absorbed' AND person_id = {person:String} LIMIT 1`,
      { workspace, person: personId },
    );
    const survivor = textOf(absorbed?.['other_person_id']);
    if (survivor === '') break;
    personId = survivor;
  }
  return personId;
}

interface Story {
  readonly steps: readonly Step[];
  readonly truncated?: true;
}

async function tell(query: Query, subject: Subject, order: Order): Promise<Story> {
  const { workspace, personId: person, anonymousIds: visitors } = subject;
  const parameters = { workspace, person, visitors, limit: traceRowsMax };
  const read = (sql: string): Promise<readonly Row[]> => query(sql, parameters);
  const [waiting, merged, facts, dropped, failures, segments, journeys, skips] = await Promise.all([
    read(WAITING),
    read(subject.visitorOnly ? MERGED_OF_VISITORS : MERGED_OF_PERSON),
    read(FACTS),
    read(DROPPED),
    read(FAILURES),
    person === '' ? [] : read(SEGMENTS),
    person === '' ? [] : read(JOURNEYS),
    person !== '' && (await hasSkips(query, parameters.workspace)) ? read(SKIPS) : [],
  ]);
  const tables = { waiting, merged, facts, dropped, failures, segments, journeys, skips };
  const truncated = Object.values(tables).some((rows) => rows.length >= traceRowsMax);
  const steps = stepsOf(tables, order);
  return truncated ? { steps, truncated } : { steps };
}

/** A database of before triggers that led to no entry were kept has no such view. */
async function hasSkips(query: Query, workspace: Workspace): Promise<boolean> {
  const rows = await query(
    `SELECT name FROM system.tables WHERE database = currentDatabase() AND name = {name:String}`,
    { workspace, name: 'journey_skips' },
  );
  return rows.length > 0;
}

const EVENT_COLUMNS = `
  message_id, type, name, anonymous_id, toUnixTimestamp64Milli(received_at) AS received_at,
  toUnixTimestamp64Milli(timestamp) AS own_time`;
const NEWEST = 'DESC LIMIT {limit:UInt32}';

const WAITING = `
  SELECT ${EVENT_COLUMNS} FROM anonymous_events
  WHERE workspace = {workspace:String} AND anonymous_id IN {visitors:Array(String)}
  ORDER BY received_at ${NEWEST}`;

const MERGED_COLUMNS = `${EVENT_COLUMNS}, person_id, previously_anonymous, toUnixTimestamp64Milli(merged_at) AS merged_at, _offset AS place`;
/** By the sort key: a condition on the person of today reads every event. */
const MERGED_OF_PERSON = `
  SELECT ${MERGED_COLUMNS} FROM person_events(person = {person:String})
  WHERE workspace = {workspace:String}
  ORDER BY place ${NEWEST}`;
/** By an index; under an anonymous id there may be events of several people. */
const MERGED_OF_VISITORS = `
  SELECT ${MERGED_COLUMNS} FROM events
  WHERE workspace = {workspace:String} AND anonymous_id IN {visitors:Array(String)}
  ORDER BY place ${NEWEST}`;

const FACTS = `
  SELECT
    kind, number, person_id, other_person_id, identifier_kind, identifier, message_id,
    toUnixTimestamp64Milli(at) AS at
  FROM stored_facts
  WHERE workspace = {workspace:String}
    AND ((identifier_kind = 'anonymous_id' AND identifier IN {visitors:Array(String)})
      OR ({person:String} != '' AND (person_id = {person:String} OR other_person_id = {person:String})))
  ORDER BY number ${NEWEST}`;

const DROPPED = `
  SELECT reason, stage, message_id, anonymous_id, person_id, detail, toUnixTimestamp64Milli(at) AS at
  FROM stored_dropped
  WHERE workspace = {workspace:String}
    AND (anonymous_id IN {visitors:Array(String)} OR ({person:String} != '' AND person_id = {person:String}))
  ORDER BY at ${NEWEST}`;

/** Activities that say what identity would not do, and why. */
const FAILURES = `
  SELECT
    kind, message_id, person_id, detail, JSONExtractString(ifNull(detail, ''), 'reason') AS reason,
    toUnixTimestamp64Milli(timestamp) AS at
  FROM stored_activities
  WHERE workspace = {workspace:String} AND startsWith(kind, 'Failed')
    AND (anonymous_id IN {visitors:Array(String)} OR ({person:String} != '' AND person_id = {person:String}))
  ORDER BY at ${NEWEST}`;

const SEGMENTS = `
  SELECT segment_id, person_id, change, cause_message_id AS message_id, toUnixTimestamp64Milli(at) AS at
  FROM segment_changes
  WHERE workspace = {workspace:String} AND person_id = {person:String}
  ORDER BY at ${NEWEST}`;

const JOURNEYS = `
  SELECT journey_id, person_id, trigger_message_id AS message_id, rule_version, toUnixTimestamp64Milli(entered_at) AS at
  FROM journey_entries
  WHERE workspace = {workspace:String} AND person_id = {person:String}
  ORDER BY at ${NEWEST}`;

const SKIPS = `
  SELECT journey_id, person_id, reason, trigger_message_id AS message_id, rule_version, detail, toUnixTimestamp64Milli(at) AS at
  FROM journey_skips
  WHERE workspace = {workspace:String} AND person_id = {person:String}
  ORDER BY at ${NEWEST}`;
