/**
 * Lanes: sequences of events under one key (contract, *Topics*). The key decides the partition, so it is
 * the contract between everyone who writes or reads events.collected and identity.decisions.
 */
import { canonicalEmail, canonicalName, isEmailShaped } from './identifiers.ts';
import type { LaneKey, PersonId, Workspace } from './ids.ts';

export type IdentifierKind = 'id' | 'email' | 'cio_id';
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
}

/**
 * An email is compared in lower case; the other kinds are compared as they are. What ingest lets in is in its form
 * already (identifiers.ts), but for what it took before it did so.
 */
export function canonicalIdentifier(identifier: Identifier): Identifier {
  return identifier.kind === 'email'
    ? { kind: 'email', value: canonicalEmail(identifier.value) }
    : identifier;
}

/** The identifier that a path or userId names, in its form: its kind follows from its shape (spec A.1; contract, *Words*). */
export function identifierByShape(text: string): Identifier {
  const value = canonicalName(text);
  if (value.startsWith('cio_')) return { kind: 'cio_id', value };
  if (isEmailShaped(value)) return { kind: 'email', value: canonicalEmail(value) };
  return { kind: 'id', value };
}

const IDENTIFIER_LANE = { id: 'i', email: 'e', cio_id: 'c' } as const;

/** The lane of an event: its anonymous id, else the identifier that it names, else itself (invites; never claims). */
export function laneKey(
  workspace: Workspace,
  event: {
    readonly anonymousId: string | null;
    readonly identifier: Identifier | null;
    readonly messageId: string;
  },
): LaneKey {
  if (event.anonymousId !== null) return `${workspace}:a:${event.anonymousId}` as LaneKey;
  if (event.identifier === null) return `${workspace}:n:${event.messageId}` as LaneKey;
  const { kind, value } = canonicalIdentifier(event.identifier);
  return `${workspace}:${IDENTIFIER_LANE[kind]}:${value}` as LaneKey;
}

/** The lane of what is said of an object by itself, so that of one object it stays in its order. */
export function objectLaneKey(workspace: Workspace, typeId: string, objectId: string): LaneKey {
  return `${workspace}:o:${JSON.stringify([typeId, objectId])}` as LaneKey;
}

/** Key of a person on events.merged, segments.changed, journeys.entered, journeys.skipped and trigger.transfers. */
export function personKey(workspace: Workspace, personId: PersonId): string {
  return `${workspace}:${personId}`;
}
