/**
 * `PUT`, `GET`, `DELETE /v1/definitions/segments|journeys|messages/{id}` and the lists, with the app key. What changes
 * one is answered when it is in force.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/http/app.ts';
import { definitionBytesMax } from '../../schemas/http/limits.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { Journey, Segment } from '../rules/condition.ts';
import type { Parsed } from '../rules/faults.ts';
import { messageWarnings } from '../rules/message-warnings.ts';
import { parseMessage } from '../rules/parse-message.ts';
import { parseJourney, parseSegment } from '../rules/parse.ts';
import type { StoredDefinition } from '../runtime/definitions.ts';
import { answer, answerText, badRequest, notFound, readBody, unauthorized, workspaceOf } from './answers.ts';
import { editWarnings, removalWarnings } from './edit-warnings.ts';
import { emptySegments } from './empty-segments.ts';
import type { InForce } from './in-force.ts';
import { roomFault, storedFaults } from './pattern-room.ts';
import type { AppKeys, DefinitionsStore, Query, RulesView } from './ports.ts';
import { journeyFaults, segmentFaults } from './references.ts';
import { ruleWarnings } from './rule-warnings.ts';
import { WrittenAnswers } from './written-answers.ts';

export interface DefinitionsOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: DefinitionsStore;
  readonly inForce: InForce;
  readonly query: Query;
  readonly rules: Pick<RulesView, 'past'>;
}

/** Of each kind in a workspace. */
export const definitionsMax = 1_000;

interface Family {
  readonly plural: 'segments' | 'journeys' | 'messages';
  readonly kind: 'segment' | 'journey' | 'message';
  /** Its faults; where it has none, what else is asked of it. */
  readonly read: (body: unknown) => Parsed<Questions>;
}
interface Questions {
  /** What it refers to and is not there, or leads back. */
  readonly references: (definitions: DefinitionsStore, workspace: Workspace, id: string) => readonly Fault[];
  /** What is likely not meant so, of what is stored now. */
  readonly warnings: (
    options: DefinitionsOptions,
    stored: StoredDefinition,
  ) => Promise<readonly Fault[]> | readonly Fault[];
}

const families: readonly Family[] = [
  {
    plural: 'segments',
    kind: 'segment',
    read: (body) =>
      within(parseSegment(body), (segment) => ({
        references: (definitions, workspace, id) => segmentFaults(definitions, workspace, id, segment),
        warnings: ({ query }, stored) => ruleWarnings(query, askedOf(stored, segment)),
      })),
  },
  {
    plural: 'journeys',
    kind: 'journey',
    read: (body) =>
      within(parseJourney(body), (journey) => ({
        references: (definitions, workspace) => journeyFaults(definitions, workspace, journey),
        warnings: (options, stored) => journeyWarnings(options, stored, journey),
      })),
  },
  {
    plural: 'messages',
    kind: 'message',
    read: (body) =>
      within(parseMessage(body), () => ({ references: () => [], warnings: () => messageWarnings(body) })),
  },
];

async function journeyWarnings(
  options: DefinitionsOptions,
  stored: StoredDefinition,
  journey: Journey,
): Promise<readonly Fault[]> {
  const [ofRule, ofSegments] = await Promise.all([
    ruleWarnings(options.query, askedOf(stored, journey)),
    emptySegments(options, stored.workspace, journey),
  ]);
  return [...ofRule, ...ofSegments];
}

function askedOf(stored: StoredDefinition, definition: Segment | Journey) {
  const { workspace, version, ruleVersion, placedVersion } = stored;
  const placing = placedVersion === undefined ? 'never' : placedVersion === version ? 'now' : 'before';
  return { workspace, definition, isNewRule: version === ruleVersion, placing } as const;
}

function within<T, U>(parsed: Parsed<T>, then: (value: T) => U): Parsed<U> {
  return parsed.ok ? { ok: true, value: then(parsed.value) } : parsed;
}

const ID = /^[A-Za-z0-9_-]{1,100}$/;
const badId: Fault = {
  pointer: '',
  code: 'invalid_id',
  message: 'an id is 1 to 100 of A-Z, a-z, 0-9, _ and -',
};
const tooMany: Fault = {
  pointer: '',
  code: 'too_many',
  message: `at most ${String(definitionsMax)} of a kind`,
};

export function mountDefinitions(app: FastifyInstance, options: DefinitionsOptions): void {
  for (const family of families) mountFamily(app, options, family);
}

type IdRequest = FastifyRequest<{ Params: { id: string } }>;

function mountFamily(app: FastifyInstance, options: DefinitionsOptions, family: Family): void {
  const { kind, plural } = family;
  const { definitions, inForce } = options;
  const url = `/v1/definitions/${plural}`;
  const written = new WrittenAnswers();
  app.get<{ Querystring: { state?: string } }>(url, (request, reply) => {
    const workspace = workspaceOf(options.keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const { state } = request.query;
    const listed = definitions.list(kind, workspace);
    return answerText(
      reply,
      200,
      written.of(listed, state ?? '', () => {
        const shown = listed.filter(({ body }) => state === undefined || isIn(state, body));
        return { [plural]: shown.map((stored) => describe(stored)) };
      }),
    );
  });
  app.get<{ Params: { id: string } }>(`${url}/:id`, async (request, reply) => {
    const workspace = workspaceOf(options.keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const { id } = request.params;
    const stored = definitions.get(kind, workspace, id);
    if (stored === undefined) return missing(reply, kind, id);
    const shown = describe(stored, storedFaults(definitions, stored));
    return answer(reply, 200, { ...shown, ...(await pastOf(options.rules, stored)) });
  });
  app.put<{ Params: { id: string } }>(`${url}/:id`, (request, reply) => put(options, family, request, reply));
  app.delete<{ Params: { id: string } }>(`${url}/:id`, async (request, reply) => {
    const workspace = workspaceOf(options.keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const { id } = request.params;
    const stored = definitions.get(kind, workspace, id);
    if (stored === undefined) return missing(reply, kind, id);
    const warnings = removalWarnings(definitions, stored);
    // Another call may have been quicker than this one.
    const version = await definitions.remove(kind, workspace, id);
    return version === undefined
      ? missing(reply, kind, id)
      : inForce.answer(reply, kind, withWarnings({ id, version, deleted: true }, warnings));
  });
}

/** People are put into it: it has no past to read. */
function isManual({ body }: StoredDefinition): boolean {
  return typeof body === 'object' && body !== null && 'type' in body && body.type === 'manual';
}

/** How far its past is in; nothing where it has none, or the service that has it does not answer. */
async function pastOf(rules: DefinitionsOptions['rules'], stored: StoredDefinition) {
  const { kind, workspace, id } = stored;
  if (kind === 'message' || kind === 'workspace') return {};
  const [ruleKey, version] =
    kind === 'segment' ? [`s:${id}`, stored.ruleVersion] : [`t:${id}`, stored.placedVersion];
  if (version === undefined || isManual(stored)) return {};
  const past = await rules.past({ workspace, ruleKey, version }).catch(() => null);
  return past === null ? {} : { past };
}

async function put(
  options: DefinitionsOptions,
  { kind, read: readDefinition }: Family,
  request: IdRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { definitions, inForce, query } = options;
  const workspace = workspaceOf(options.keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const { id } = request.params;
  if (!ID.test(id)) return badRequest(reply, [badId]);
  const read = readBody(request, definitionBytesMax);
  if (!read.ok) return badRequest(reply, [read.fault]);
  const parsed = readDefinition(read.value);
  if (!parsed.ok) return badRequest(reply, parsed.faults);
  const body = read.value;
  let faults: readonly Fault[] = [];
  // Asked when nothing else is being written, so that two that would refer to each other do not pass side by side.
  const mayStore = () => {
    const room = roomFault(definitions, { kind, workspace, id, body });
    faults = [...parsed.value.references(definitions, workspace, id), ...(room === undefined ? [] : [room])];
    return faults.length === 0;
  };
  const ofEdit = await editWarnings(query, definitions.get(kind, workspace, id), body);
  const stored = await definitions.put(kind, workspace, id, { body, countMax: definitionsMax, mayStore });
  if (stored === undefined) return badRequest(reply, faults.length === 0 ? [tooMany] : faults);
  const warnings = [...ofEdit, ...(await parsed.value.warnings(options, stored))];
  return inForce.answer(reply, kind, withWarnings(describe(stored), warnings));
}

function withWarnings(shown: object, warnings: readonly Fault[]): object {
  return warnings.length === 0 ? shown : { ...shown, warnings };
}

function isIn(state: string, body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'state' in body && body.state === state;
}

/** An id of an earlier version may have more characters, and is found before this is asked. */
function missing(reply: FastifyReply, kind: string, id: string): FastifyReply {
  return ID.test(id) ? notFound(reply, `${kind} ${id}`) : badRequest(reply, [badId]);
}

/** `faults` where the definition is older than a bound, and works without what is over it. */
function describe({ id, version, at, body }: StoredDefinition, faults: readonly Fault[] = []) {
  const shown = { id, version, updated_at: new Date(at).toISOString(), definition: body };
  return faults.length === 0 ? shown : { ...shown, faults };
}
