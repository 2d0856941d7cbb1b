/** Decides one request against the graph of its workspace, and has it taken down. */
import type { IdentityRequest } from '../../../schemas/records.ts';
import { unreachable } from '../../runtime/errors.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';
import { callOf, identifierIn } from './call.ts';
import { decideClaim, namesTooMany, type ClaimDecision } from './decide-claim.ts';
import { decideDelete, decideSuppress, decideUnsuppress } from './decide-control.ts';
import { decideMembership } from './decide-membership.ts';
import { decideMerge } from './decide-merge.ts';
import { decideSplit, splitCallOf } from './decide-split.ts';
import type { WorkspaceGraph } from '../graph/graph.ts';
import type { Call, Conflict, Outcome } from './outcome.ts';
import type { Recorder } from '../recorder.ts';
import { resolvePerson } from './resolve-person.ts';

export interface Decision {
  readonly graph: WorkspaceGraph;
  readonly settings: WorkspaceSettings;
  readonly recorder: Recorder;
}

/**
 * A claim or a resolve: finds the person, then what becomes of the anonymous id, then answers the lane. A barrier: its
 * turn has come, which is all that the lane asks.
 */
export function decideCall(request: IdentityRequest, { graph, settings, recorder }: Decision): void {
  if (request.kind === 'barrier') {
    recorder.reply({ kind: 'passed' });
    return;
  }
  const call = callOf(request);
  if (call === null) {
    recorder.reply({ kind: 'refused', reason: 'identify_without_identifier' });
    return;
  }
  const claim = isClaim(request, call) ? call : null;
  const tooMany = claim === null ? null : namesTooMany(graph, claim, settings);
  if (tooMany !== null) {
    recorder.notes([tooMany]);
    recorder.reply({ kind: 'refused', reason: 'too_many_people' });
    return;
  }
  const resolution = resolvePerson(graph, call, settings);
  recorder.notes(resolution.notes);
  if (resolution.type === 'refused') {
    recorder.reply({ kind: 'refused', reason: resolution.reason });
    return;
  }
  recorder.facts(resolution.facts);
  const { personId, created, conflicts } = resolution;
  const decided = claim === null ? resolvedOnly : decideClaim(graph, personId, claim, settings);
  recorder.facts(decided.facts);
  recorder.notes(decided.notes);
  recorder.reply({
    kind: decided.granted ? 'granted' : 'resolved',
    person_id: personId,
    person_created: created,
    claimed_at: decided.granted ? request.received_at : null,
    reason: decided.reason,
    detail: conflictsText(conflicts),
  });
}

/** A control call whose turn has come. */
export function decideControl(request: IdentityRequest, { graph, settings, recorder }: Decision): void {
  if (request.kind === 'membership') {
    recorder.membership(decideMembership(graph, request));
    return;
  }
  const identifier = identifierIn(request.identifier_kind, request.identifier);
  if (identifier !== null) recorder.outcome(controlOutcome(request, identifier, graph, settings));
}

function controlOutcome(
  request: IdentityRequest,
  identifier: Call['path'],
  graph: WorkspaceGraph,
  settings: WorkspaceSettings,
): Outcome {
  switch (request.kind) {
    case 'merge': {
      const secondary = identifierIn(request.other_kind, request.other);
      if (secondary === null) return { facts: [], notes: [], drops: [] }; // ingest answered 400
      const alias = request.anonymous_id !== null;
      const call = { primary: identifier, secondary, receivedAt: request.received_at, alias };
      return decideMerge(graph, call, settings);
    }
    case 'delete':
      return decideDelete(graph, identifier);
    case 'suppress':
      return decideSuppress(graph, identifier);
    case 'unsuppress':
      return decideUnsuppress(graph, identifier);
    case 'split':
      return decideSplit(graph, splitCallOf(identifier, request.detail), settings);
    case 'claim':
    case 'resolve':
    case 'watermark':
    case 'barrier':
    case 'marker':
    case 'membership':
      throw new TypeError(`not a control call: ${request.kind}`);
    default:
      return unreachable(request.kind);
  }
}

const resolvedOnly: ClaimDecision = { granted: false, reason: null, facts: [], notes: [] };

function isClaim(request: IdentityRequest, call: Call): call is Call & { readonly anonymousId: string } {
  return request.kind === 'claim' && request.anonymous_id !== null && call.anonymousId !== null;
}

function conflictsText(conflicts: readonly Conflict[]): string | null {
  return conflicts.length === 0 ? null : JSON.stringify({ conflicts });
}
