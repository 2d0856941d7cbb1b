/**
 * `/v1/keys`: keys are made, listed, rotated and revoked. An app key has those of its workspace in hand, an admin key
 * those of every workspace and of the installation. A secret is in the answer that makes it and nowhere else.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Compile } from 'typebox/compile';
import { KeyBody, RotationBody, rotationValidSUsual, type Fault } from '../../schemas/http/app.ts';
import { isWorkspace, type Workspace } from '../../schemas/ids.ts';
import type { KnownKey } from '../runtime/caller.ts';
import { answer, badRequest, bearerOf, notFound, readBody, unauthorized } from './answers.ts';
import type { KeyDescription, KeysFull, KeyStore, MadeKey } from './ports.ts';
import { shapeFaults } from './shape-faults.ts';

export interface KeysRouteOptions {
  readonly keys: KeyStore;
}

const bodyBytesMax = 4_096;
const makingShape = Compile(KeyBody);
const rotationShape = Compile(RotationBody);
const MS_PER_S = 1_000;

type QueryRequest = FastifyRequest<{ Querystring: { workspace?: unknown } }>;
type IdRequest = FastifyRequest<{ Params: { id: string } }>;

export function mountKeys(app: FastifyInstance, { keys }: KeysRouteOptions): void {
  app.get('/v1/keys', (request: QueryRequest, reply) => {
    const owner = ownerOf(keys, request);
    if (owner === undefined) return unauthorized(reply);
    if (owner.workspace !== null && !keys.has(owner.workspace)) return noWorkspace(reply, owner.workspace);
    return answer(reply, 200, { keys: keys.list(owner.workspace) });
  });
  app.post('/v1/keys', (request: QueryRequest, reply) => make(keys, request, reply));
  app.post('/v1/keys/:id/rotate', (request: IdRequest, reply) => rotate(keys, request, reply));
  app.delete('/v1/keys/:id', (request: IdRequest, reply) => revoke(keys, request, reply));
}

async function make(keys: KeyStore, request: QueryRequest, reply: FastifyReply): Promise<FastifyReply> {
  const owner = ownerOf(keys, request);
  if (owner === undefined) return unauthorized(reply);
  const { workspace, by } = owner;
  const read = readBody(request, bodyBytesMax);
  if (!read.ok) return badRequest(reply, [read.fault]);
  if (!makingShape.Check(read.value)) return badRequest(reply, shapeFaults(makingShape, read.value));
  const { kind, name } = read.value;
  if ((kind === 'admin') !== (workspace === null)) return badRequest(reply, [kindFault(kind, by)]);
  if (workspace !== null && !keys.has(workspace)) return noWorkspace(reply, workspace);
  const made = await keys.make({ workspace, kind, name, by: by.id });
  return typeof made === 'string' ? badRequest(reply, [fullFaults[made]]) : answerMade(reply, made);
}

async function rotate(keys: KeyStore, request: IdRequest, reply: FastifyReply): Promise<FastifyReply> {
  const by = bearerKey(keys, request);
  if (by === undefined) return unauthorized(reply);
  const found = keyOf(keys, by, request.params.id);
  if (found === undefined) return notFound(reply, `key ${request.params.id}`);
  const isEmpty = !Buffer.isBuffer(request.body) || request.body.length === 0;
  const read = isEmpty ? ({ ok: true, value: {} } as const) : readBody(request, bodyBytesMax);
  if (!read.ok) return badRequest(reply, [read.fault]);
  if (!rotationShape.Check(read.value)) return badRequest(reply, shapeFaults(rotationShape, read.value));
  const validS = read.value.old_valid_s ?? rotationValidSUsual;
  const made = await keys.rotate(found.id, validS * MS_PER_S, by.id);
  if (made === undefined) return badRequest(reply, [ended]);
  if (typeof made === 'string') return badRequest(reply, [fullFaults[made]]);
  return answerMade(reply, made, { replaces: keys.get(found.id) });
}

async function revoke(keys: KeyStore, request: IdRequest, reply: FastifyReply): Promise<FastifyReply> {
  const by = bearerKey(keys, request);
  if (by === undefined) return unauthorized(reply);
  const found = keyOf(keys, by, request.params.id);
  if (found === undefined) return notFound(reply, `key ${request.params.id}`);
  const others = keys
    .list(null)
    .filter(({ id, active, expires_at: end }) => id !== found.id && active && end === null);
  if (found.kind === 'admin' && others.length === 0) return badRequest(reply, [lastAdmin]);
  return answer(reply, 200, { key: await keys.revoke(found.id, by.id) });
}

function bearerKey(keys: KeyStore, request: FastifyRequest): KnownKey | undefined {
  const secret = bearerOf(request);
  return secret === undefined ? undefined : (keys.find('app', secret) ?? keys.find('admin', secret));
}

/** Whose keys are asked for; undefined: not for who asks. The admin names a workspace, or none: then the installation's. */
function ownerOf(
  keys: KeyStore,
  request: QueryRequest,
): { readonly workspace: Workspace | null; readonly by: KnownKey } | undefined {
  const by = bearerKey(keys, request);
  const { workspace: named } = request.query;
  if (by === undefined) return undefined;
  if (named === undefined) return { workspace: by.workspace, by };
  if (typeof named !== 'string' || !isWorkspace(named)) return undefined;
  return by.kind === 'admin' || by.workspace === named ? { workspace: named, by } : undefined;
}

/** A key of another workspace is as one that does not exist. */
function keyOf(keys: KeyStore, by: KnownKey, id: string): KeyDescription | undefined {
  const found = keys.get(id);
  return by.kind === 'admin' || found?.workspace === by.workspace ? found : undefined;
}

function answerMade(reply: FastifyReply, { key, credentials }: MadeKey, more: object = {}): FastifyReply {
  return answer(reply, 200, { key, credentials, ...more });
}

function noWorkspace(reply: FastifyReply, name: Workspace): FastifyReply {
  return notFound(reply, `workspace ${name}`);
}

function kindFault(kind: string, by: KnownKey): Fault {
  const message =
    by.kind !== 'admin'
      ? 'an app key makes no admin key: an admin key does'
      : kind === 'admin'
        ? 'an admin key is of no workspace: leave out ?workspace='
        : `a key of kind ${kind} is of a workspace: add ?workspace=NAME`;
  return { pointer: '/kind', code: 'wrong_owner', message };
}

const fullFaults: Readonly<Record<KeysFull, Fault>> = {
  too_many: {
    pointer: '',
    code: 'too_many',
    message: 'a workspace has at most 100 keys that work, and as many that were rotated: revoke one',
  },
  too_many_today: {
    pointer: '',
    code: 'too_many',
    message: 'a workspace makes and rotates at most 1,000 keys a day: go on tomorrow (UTC)',
  },
};
const ended: Fault = { pointer: '', code: 'key_ended', message: 'the key has ended: make another' };
const lastAdmin: Fault = {
  pointer: '',
  code: 'last_admin_key',
  message: 'nobody could come in any more: make another admin key first',
};
