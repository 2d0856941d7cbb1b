/**
 * `GET /v1/definitions/segments|journeys|messages/{id}/versions`, `…/versions/{n}` and `…/compare?from=&to=`: what a
 * definition has been, and what an edit did to it and to the people who were in it.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Fault } from '../../schemas/http/app.ts';
import type { DefinitionVersion } from '../runtime/definition-versions.ts';
import { answer, badRequest, notFound, unauthorized, workspaceOf } from './answers.ts';
import { differences } from './difference.ts';
import { forgetsWaiting } from './edit-warnings.ts';
import type { AppKeys, DefinitionsStore } from './ports.ts';

export interface VersionsOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: Pick<DefinitionsStore, 'versions'>;
}

/** Told of two versions. */
export const differencesMax = 1_000;

const KINDS = ['segment', 'journey', 'message'] as const;
type Kind = (typeof KINDS)[number];

interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly kind: Kind;
  readonly id: string;
  /** Newest first; one at least. */
  readonly versions: readonly DefinitionVersion[];
}

export function mountVersions(app: FastifyInstance, options: VersionsOptions): void {
  for (const kind of KINDS) {
    const url = `/v1/definitions/${kind}s/:id`;
    app.get(`${url}/versions`, of(options, kind, list));
    app.get(`${url}/versions/:version`, of(options, kind, one));
    app.get(`${url}/compare`, of(options, kind, compare));
  }
}

function of(options: VersionsOptions, kind: Kind, handle: (asked: Asked) => FastifyReply) {
  return (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const workspace = workspaceOf(options.keys, request);
    if (workspace === undefined) return unauthorized(reply);
    const { id } = request.params as { id: string }; // in each of the paths
    const versions = options.definitions.versions(kind, workspace, id);
    if (versions.length === 0) return notFound(reply, `${kind} ${id}`);
    return handle({ request, reply, kind, id, versions });
  };
}

function list({ reply, id, versions }: Asked): FastifyReply {
  const complete = versions.at(-1)?.version === 1;
  const shown = versions.map((each, index) => ({ ...describe(each), ...editOf(each, versions[index + 1]) }));
  return answer(reply, 200, { id, versions: shown, complete });
}

function one({ request, reply, kind, id, versions }: Asked): FastifyReply {
  const { version } = request.params as { version: string }; // in the path
  const found = versions.find((each) => String(each.version) === version);
  if (found === undefined) return notFound(reply, `version ${version} of ${kind} ${id}`);
  const { stored } = found;
  return answer(reply, 200, {
    id,
    ...describe(found),
    ...(stored !== undefined && { definition: stored.body }),
  });
}

function compare({ request, reply, kind, id, versions }: Asked): FastifyReply {
  const query = request.query as Record<string, unknown>; // Fastify's parsed query
  const { to = String(versions[0]?.version ?? '') } = query;
  const asked = { from: query['from'], to };
  const faults: Fault[] = (['from', 'to'] as const)
    .filter((side) => !/^\d{1,15}$/.test(textOf(asked[side])))
    .map((side) => ({
      pointer: `/${side}`,
      code: 'wrong_type',
      message: `${side} is a number of a version`,
    }));
  if (faults.length > 0) return badRequest(reply, faults);
  const find = (text: string) => versions.find((each) => each.version === Number(text));
  const [from, until] = [find(textOf(asked.from)), find(textOf(asked.to))];
  if (from === undefined || until === undefined) {
    const missing = textOf(from === undefined ? asked.from : asked.to);
    return notFound(reply, `version ${missing} of ${kind} ${id}`);
  }
  const found = differences(from.stored?.body ?? null, until.stored?.body ?? null, differencesMax + 1);
  return answer(reply, 200, {
    id,
    from: describe(from),
    to: describe(until),
    differences: found.slice(0, differencesMax),
    ...(found.length > differencesMax && { truncated: true }),
    effects: effectsOf(kind, from, until),
  });
}

function describe({ version, at, stored }: DefinitionVersion) {
  const updated_at = new Date(at).toISOString();
  return stored === undefined
    ? { version, updated_at, deleted: true }
    : { version, updated_at, since_version: stored.ruleVersion };
}

/** What of the one before is another now, by the names of its members; nothing where that is not known. */
function editOf(
  now: DefinitionVersion,
  before: DefinitionVersion | undefined,
): { changed?: readonly string[] } {
  if (now.stored === undefined || before?.stored === undefined) return {};
  const known = edits.get(now.stored);
  if (known?.before === before.stored) return known.edit;
  const found = differences(before.stored.body, now.stored.body, Infinity);
  const edit = { changed: [...new Set(found.map(({ pointer }) => pointer.split('/')[1] ?? ''))] };
  edits.set(now.stored, { before: before.stored, edit });
  return edit;
}

/** A hundred versions of a large definition are much to compare at each question. */
const edits = new WeakMap<
  object,
  { readonly before: object; readonly edit: { changed: readonly string[] } }
>();

/** What it means for people already in (contract, *Definitions*). */
function effectsOf(kind: Kind, from: DefinitionVersion, to: DefinitionVersion): object {
  const [a, b] = [from.stored, to.stored];
  const conditions_changed = a?.ruleVersion !== b?.ruleVersion;
  if (kind !== 'journey') return { conditions_changed };
  const stalls_forgotten = forgetsWaiting(a?.body ?? null, b?.body ?? null) !== undefined;
  return { conditions_changed, stalls_forgotten };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
