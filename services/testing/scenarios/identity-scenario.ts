/** Given / when / then for identity: calls as a lane or ingest would send them, and what the graph answers. Tests only. */
import { isWorkspace, toWorkspace, type Workspace } from '../../../schemas/ids.ts';
import { identifierByShape, laneKey, type Identifier } from '../../../schemas/lanes.ts';
import { identityRequest } from '../../../schemas/identity-request.ts';
import type { IdentityDecision, IdentityFact, IdentityRequest } from '../../../schemas/records.ts';
import { assert } from '../../runtime/errors.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import type { KeyedStore } from '../../runtime/store/ports.ts';
import type { ServiceSpec } from '../../runtime/task/ports.ts';
import { given, of, ProcessorHarness, type Output } from '../processor-harness.ts';
import { WorkspaceGraph } from '../../identity/graph/graph.ts';
import { graphFamilies, type Person } from '../../identity/graph/graph-rows.ts';
import { identityService } from '../../identity/service.ts';

export const START = 1_700_000_000_000;
export const PARTITIONS = 4;

export interface ClaimFields {
  readonly anonymousId?: string | null;
  readonly path: string | Identifier;
  readonly id?: string;
  readonly email?: string;
  readonly cioId?: string;
  readonly updateOnly?: boolean;
}

type DeepPartial<T> = { readonly [K in keyof T]?: T[K] extends object ? Partial<T[K]> : T[K] };

/** A workspace's identity. Each call is a batch of its own, at `now`, from an offset of its own on partition 0. */
export class Scenario {
  readonly harness: ProcessorHarness;
  readonly workspace: Workspace;
  now = START;
  /** Requests that went in, in order. */
  readonly sent: IdentityRequest[] = [];
  #offset = 0;
  #requests = 0;

  constructor(workspace = 'shop', spec: ServiceSpec = identityService) {
    this.harness = new ProcessorHarness(spec, { partitions: PARTITIONS });
    assert(isWorkspace(workspace), 'a test names its workspace well');
    this.workspace = workspace;
  }

  settings(settings: DeepPartial<WorkspaceSettings>): this {
    this.harness.define('workspace', this.workspace, this.workspace, settings);
    return this;
  }

  /** An identify through the lane of its anonymous id, else of its path identifier. */
  claim(fields: ClaimFields): IdentityDecision {
    return onlyReply(this.send(this.claimRequest(fields)));
  }

  claimRequest(fields: ClaimFields, at: Partial<IdentityRequest> = {}): IdentityRequest {
    const path = identifier(fields.path);
    const anonymousId = fields.anonymousId ?? null;
    return this.request({
      kind: 'claim',
      lane: laneKey(this.workspace, { anonymousId, identifier: path, messageId: 'm' }),
      anonymous_id: anonymousId,
      identifier_kind: path.kind,
      identifier: path.value,
      id: fields.id ?? null,
      email: fields.email ?? null,
      cio_id: fields.cioId ?? null,
      update_only: fields.updateOnly ?? false,
      ...at,
    });
  }

  /** An event that names somebody whom its lane has not in its cache. */
  resolve(path: string | Identifier, anonymousId: string | null = null): IdentityDecision {
    const named = identifier(path);
    const lane = laneKey(this.workspace, { anonymousId, identifier: named, messageId: 'm' });
    const fields = { lane, identifier_kind: named.kind, identifier: named.value };
    return onlyReply(this.send(this.request({ kind: 'resolve', ...fields })));
  }

  /** A control call that need not wait, as no position is given. */
  control(
    kind: 'merge' | 'delete' | 'suppress' | 'unsuppress' | 'split',
    path: string | Identifier,
    rest: Partial<IdentityRequest> = {},
  ): Output[] {
    const { kind: identifier_kind, value } = identifier(path);
    return this.send(this.request({ kind, identifier_kind, identifier: value, ...rest }));
  }

  merge(primary: string, secondary: string): Output[] {
    const other = identifier(secondary);
    return this.control('merge', primary, { other_kind: other.kind, other: other.value });
  }

  split(path: string, detail: object): Output[] {
    return this.control('split', path, { detail: JSON.stringify(detail) });
  }

  request(fields: Partial<IdentityRequest> & Pick<IdentityRequest, 'kind'>): IdentityRequest {
    this.#requests += 1;
    this.#offset += 1;
    const isLanes = ['claim', 'resolve', 'barrier'].includes(fields.kind);
    const offset = isLanes ? this.#offset : 0;
    const number = isLanes ? this.#requests : 0;
    return identityRequest({
      workspace: this.workspace,
      received_at: this.now,
      source_partition: 0,
      source_offset: offset,
      request_number: number,
      message_id: `m${String(this.#requests)}`,
      ...fields,
    });
  }

  send(...requests: readonly IdentityRequest[]): Output[] {
    this.sent.push(...requests);
    const records = requests.map((request) => given('identityRequests', this.workspace, request));
    return this.harness.batch(this.now, ...records);
  }

  get graph(): WorkspaceGraph {
    return new WorkspaceGraph(this.harness.stores.keyed, toWorkspace(this.workspace));
  }

  person(path: string | Identifier): Person | undefined {
    return this.graph.find(identifier(path));
  }

  facts(): IdentityFact[] {
    return of('identityLog', this.harness.outputs).map(({ value }) => value);
  }
}

export function identifier(path: string | Identifier): Identifier {
  return typeof path === 'string' ? identifierByShape(path) : path;
}

/** Answers to lanes. */
export function replies(outputs: readonly Output[]): IdentityDecision[] {
  return of('identityDecisions', outputs)
    .map(({ value }) => value)
    .filter(({ lane }) => lane !== null);
}

/** News that every partition got, once each; asserts that all got the same. */
export function news(outputs: readonly Output[]): IdentityDecision[] {
  const wide = of('identityDecisions', outputs).filter(
    ({ value }) => value.lane === null && value.kind !== 'control_ended',
  );
  const at = (partition: number): IdentityDecision[] =>
    wide.filter((output) => output.partition === partition).map(({ value }) => value);
  const first = at(0);
  for (let partition = 1; partition < PARTITIONS; partition += 1) {
    assert(JSON.stringify(at(partition)) === JSON.stringify(first), 'every partition gets the same news');
  }
  return first;
}

export function activities(
  outputs: readonly Output[],
): { kind: string; person: string | null; detail: unknown }[] {
  return of('activitiesLogged', outputs).map(({ value }) => ({
    kind: value.kind,
    person: value.person_id,
    detail: JSON.parse(value.detail ?? 'null') as unknown,
  }));
}

/** Every row of the graph, for comparing two. */
export function graphRows(store: KeyedStore): [string, string][] {
  return graphFamilies.flatMap((family) =>
    store
      .scan(`${family}/`, `${family}0`, 1_000_000)
      .map(([key, value]): [string, string] => [key, value.toString()]),
  );
}

function onlyReply(outputs: readonly Output[]): IdentityDecision {
  const [reply, ...others] = replies(outputs);
  assert(reply !== undefined && others.length === 0, 'a request is answered once');
  return reply;
}
