/** `PUT` and `GET /v1/workspaces/{name}`: the settings of a workspace; with the admin key a PUT also creates one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import {
  flaggedPatternsMax,
  illegalPatternsMax,
  WorkspaceSettingsBody,
  type Fault,
} from '../../schemas/http/app.ts';
import { definitionBytesMax, patternCharsMax } from '../../schemas/http/limits.ts';
import { isWorkspace, type Workspace } from '../../schemas/ids.ts';
import { NewPatterns } from '../rules/definition-patterns.ts';
import { nameConflicts } from '../runtime/event-names.ts';
import { isPhoneCountry } from '../runtime/phone.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';
import { pointerTo } from '../rules/faults.ts';
import { answer, badRequest, bearerOf, notFound, readBody, unauthorized } from './answers.ts';
import type { InForce } from './in-force.ts';
import { roomFault, storedFaults } from './pattern-room.ts';
import type { AppKeys, DefinitionsStore } from './ports.ts';
import { shapeFaults } from './shape-faults.ts';

export interface WorkspacesOptions {
  readonly keys: AppKeys;
  readonly definitions: DefinitionsStore;
  readonly inForce: InForce;
}

type NamedRequest = FastifyRequest<{ Params: { name: string } }>;

const shape = Compile(WorkspaceSettingsBody);

export function mountWorkspaces(app: FastifyInstance, options: WorkspacesOptions): void {
  app.put<{ Params: { name: string } }>('/v1/workspaces/:name', (request, reply) =>
    put(options, request, reply),
  );
  app.get<{ Params: { name: string } }>('/v1/workspaces/:name', (request, reply) => {
    const { name } = request.params;
    if (!isWorkspace(name) || !mayUse(options.keys, bearerOf(request), name)) return unauthorized(reply);
    if (!options.keys.has(name)) return notFound(reply, `workspace ${name}`);
    return answer(reply, 200, describe(options.definitions, name));
  });
}

async function put(
  options: WorkspacesOptions,
  request: NamedRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { keys, definitions, inForce } = options;
  const { name } = request.params;
  const key = bearerOf(request);
  const isAdmin = key !== undefined && keys.isAdmin(key);
  if (!isWorkspace(name)) {
    if (!isAdmin) return unauthorized(reply);
    const message = 'a workspace is named by 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit';
    return badRequest(reply, [{ pointer: '', code: 'invalid_name', message }]);
  }
  if (!mayUse(keys, key, name)) return unauthorized(reply);
  const read = readBody(request, definitionBytesMax);
  if (!read.ok) return badRequest(reply, [read.fault]);
  const faults = settingsFaults(read.value);
  if (faults.length > 0) return badRequest(reply, faults);
  const isNew = !keys.has(name);
  const body = read.value;
  let fault: Fault | undefined;
  const written = { kind: 'workspace', workspace: name, id: name, body } as const;
  const mayStore = () => (fault = roomFault(definitions, written)) === undefined;
  const stored = await definitions.put('workspace', name, name, { body, mayStore });
  if (stored === undefined) return badRequest(reply, fault === undefined ? [] : [fault]);
  // Keys last: who holds them finds the workspace there and as it was asked for. Of several calls that find none the first makes them, and all
  // are told the same: each may be the only one whose answer arrives.
  const behind = await inForce.wait('workspace');
  const credentials = isNew ? await keys.ensure(name) : undefined;
  const settings = settingsOf({ get: () => stored }, name);
  const shown = {
    name,
    version: stored.version,
    settings,
    ...(credentials !== undefined && { credentials }),
  };
  return behind.length === 0 ? answer(reply, 200, shown) : answer(reply, 202, { ...shown, behind });
}

/** The workspace's own app key, or the admin key. */
function mayUse(keys: AppKeys, key: string | undefined, name: Workspace): boolean {
  return key !== undefined && (keys.app(key) === name || keys.isAdmin(key));
}

function describe(definitions: DefinitionsStore, name: Workspace) {
  const stored = definitions.get('workspace', name, name);
  const shown = { name, version: stored?.version ?? 0, settings: settingsOf(definitions, name) };
  const faults = stored === undefined ? [] : storedFaults(definitions, stored);
  return faults.length === 0 ? shown : { ...shown, faults };
}

const patternsMax = { illegal_patterns: illegalPatternsMax, flagged_patterns: flaggedPatternsMax };

export function settingsFaults(value: unknown): readonly Fault[] {
  const faults = shape.Check(value) ? [] : shapeFaults(shape, value);
  const guards = isObject(value) && isObject(value.guards) ? value.guards : {};
  const lists = Object.entries(patternsMax).flatMap(([name, max]) => {
    const sources = guards[name];
    return Array.isArray(sources) ? [{ pointer: `/guards/${name}`, max, sources }] : [];
  });
  if (faults.length > 0 && lists.some(({ max, sources }) => sources.length > max)) return faults;
  const patterns = new NewPatterns();
  return [
    ...faults,
    ...countryFaults(value),
    ...lists.flatMap(({ pointer, sources }) => patternFaults(patterns, pointer, sources)),
    ...(faults.length === 0 ? namingFaults(value as WorkspaceSettingsBody) : []), // its shape is right
  ];
}

/** One spelling is one event, and a phone names somebody only where phones name people. */
function namingFaults({
  event_names: names,
  identify_moments: moments = [],
  canonical_identifier: canonical,
}: WorkspaceSettingsBody): readonly Fault[] {
  const ofNames = nameConflicts(names?.names ?? {}).map(({ canonical: name, index, other }): Fault => {
    const place = index < 0 ? '' : `/${String(index)}`;
    const message = `is a spelling of ${other}, too: leave it to one of them`;
    return { pointer: `${pointerTo('/event_names/names', name)}${place}`, code: 'ambiguous', message };
  });
  const ofMoments = moments.flatMap(({ kind }, index): readonly Fault[] => {
    if (kind !== 'phone' || canonical === 'phone') return [];
    const message = 'a phone names somebody only where canonical_identifier is phone';
    return [{ pointer: `/identify_moments/${String(index)}/kind`, code: 'ambiguous', message }];
  });
  return [...ofNames, ...ofMoments];
}

function countryFaults(value: unknown): readonly Fault[] {
  const country = isObject(value) ? value.phone_country : undefined;
  if (typeof country !== 'string' || !/^[A-Z]{2}$/.test(country) || isPhoneCountry(country)) return [];
  return [{ pointer: '/phone_country', code: 'out_of_range', message: `no country is ${country}` }];
}

function patternFaults(
  patterns: NewPatterns,
  pointer: string,
  sources: readonly unknown[],
): readonly Fault[] {
  return sources.flatMap((source, index) => {
    if (typeof source !== 'string' || source.length > patternCharsMax) return []; // the shape says so
    const result = patterns.compile(source);
    return result.ok ? [] : [{ ...result.fault, pointer: `${pointer}/${String(index)}` }];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
