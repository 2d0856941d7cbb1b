/**
 * Lanes: sequences of events under one key (contract, *Topics*). The key decides the partition, so it is
 * the contract between everyone who writes or reads events.collected and identity.decisions.
 */
import type { LaneKey, PersonId, Workspace } from './ids.ts';

export type IdentifierKind = 'id' | 'email' | 'cio_id';
export interface Identifier {
  readonly kind: IdentifierKind;
  readonly value: string;
}

/**
 * An email is compared composed (NFC) and in lower case; the other kinds are compared as they are. Lower case may be longer
 * (`Ⱥ` takes two bytes, `ⱥ` three), so whoever measures measures this.
 */
export function canonicalIdentifier(identifier: Identifier): Identifier {
  return identifier.kind === 'email' ? { kind: 'email', value: lowerCase(identifier.value) } : identifier;
}

/** Lower case of a composed text may be decomposed. */
function lowerCase(value: string): string {
  return value.normalize('NFC').toLowerCase().normalize('NFC');
}

const EMAIL = /^[^\s@/]+@[^\s@]+$/;
/** An email field that does not look like one names nobody: a shared `n/a` must not merge strangers. */
export function isEmailShaped(value: string): boolean {
  return EMAIL.test(value);
}

/** The kind of a path identifier or userId, by its shape (spec A.1; contract, *Words*). */
export function identifierByShape(value: string): Identifier {
  if (value.startsWith('cio_')) return { kind: 'cio_id', value };
  if (EMAIL.test(value)) return { kind: 'email', value };
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

/** Key of a person on events.merged, segments.changed, journeys.entered and trigger.transfers. */
export function personKey(workspace: Workspace, personId: PersonId): string {
  return `${workspace}:${personId}`;
}
