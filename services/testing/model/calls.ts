/** What a history is made of: calls as clients and operators make them. For the model test only. */
import type { LaneKey } from '../../../schemas/ids.ts';
import type { Identifier } from '../../../schemas/lanes.ts';
import type { WorkspaceSettings } from '../../runtime/workspace-settings.ts';

export interface LaneCall {
  readonly type: 'event' | 'identify';
  /** Key of the lane. */
  readonly lane: LaneKey;
  readonly visitor: string | null;
  readonly named: Identifier | null;
  /** Identify: further identifiers, at most one a kind, none equal to the named one; cio_id, id, email. */
  readonly also: readonly Identifier[];
  readonly updateOnly: boolean;
  readonly messageId: string;
  readonly receivedAt: number;
  readonly timestamp: number;
}
export type ControlCall = (
  | {
      readonly type: 'merge';
      readonly primary: Identifier;
      readonly secondary: Identifier;
      /** Sent beside the claim of an alias, whose previous id may be only a visitor's. */
      readonly alias: boolean;
    }
  | { readonly type: 'delete' | 'suppress' | 'unsuppress'; readonly named: Identifier }
  | {
      readonly type: 'split';
      readonly from: Identifier;
      readonly anonymousIds: readonly string[];
      readonly identifiers: readonly Identifier[];
      readonly into: Identifier | null;
    }
) & { readonly receivedAt: number };
export interface SettingsCall {
  readonly type: 'settings';
  readonly settings: WorkspaceSettings;
  readonly receivedAt: number;
}
/** A control call that its gateway did not live to send: only its markers are there, and nobody was told it was taken. */
export interface LostCall {
  readonly type: 'lost';
  readonly receivedAt: number;
}
export type Call = LaneCall | ControlCall | SettingsCall | LostCall;

export function isLaneCall(call: Call): call is LaneCall {
  return call.type === 'event' || call.type === 'identify';
}

/** Every identifier that the call names. */
export function identifiersIn(call: Call): readonly Identifier[] {
  switch (call.type) {
    case 'event':
    case 'identify':
      return call.named === null ? [] : [call.named, ...call.also];
    case 'merge':
      return [call.primary, call.secondary];
    case 'split':
      return call.into === null
        ? [call.from, ...call.identifiers]
        : [call.from, call.into, ...call.identifiers];
    case 'settings':
    case 'lost':
      return [];
    default:
      return [call.named];
  }
}

export function keyOf({ kind, value }: Identifier): string {
  return `${kind}:${kind === 'email' ? value.toLowerCase() : value}`;
}
