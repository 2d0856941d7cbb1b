/**
 * The routing fields of a CollectedEvent, read in place: no string, no object, no copy. The Avro record starts with them
 * for this (contract, *The envelope*); a property test holds this reader against the schema.
 */
import { WIRE_HEADER_BYTES } from '../../../schemas/codec.ts';
import {
  CollectedRouting,
  eventTypes,
  identifierKinds,
} from '../../../schemas/in-place/collected-routing.ts';
import type { Identifier } from '../../../schemas/lanes.ts';

export const IDENTIFY = eventTypes.indexOf('identify');
/** The place of a control call: nobody's event. */
export const MARKER = eventTypes.indexOf('marker');
export const NOBODY = identifierKinds.indexOf('none');
/** From here on types say something of a visitor or a person: they wait and go on like an event, and are none. */
const RELATE = eventTypes.indexOf('relate');

/** What a visitor says of their consent: nobody's event either, and the lane's own. */
const WITHDRAWAL = eventTypes.indexOf('withdrawal');
const CONSENT = eventTypes.indexOf('consent');

/** What is said of an object by itself: nobody's, and it waits for nobody. */
export const OBJECT = eventTypes.indexOf('object');

/** null: the record says nothing of it. */
export function consentIn(type: number): 'withdrawn' | 'given' | null {
  if (type < WITHDRAWAL) return null;
  return type === WITHDRAWAL ? 'withdrawn' : type === CONSENT ? 'given' : null;
}

/** An event that somebody did, and that is counted as such when it is merged. */
export function isCounted(type: number): boolean {
  return type < RELATE;
}

/** Further identifiers of an identify. */
export interface IdentifyFields {
  readonly id: string | null;
  readonly email: string | null;
  readonly cioId: string | null;
  readonly updateOnly: boolean;
}

/** One reader, used again for every record: copy what you keep. */
export class EventRouting extends CollectedRouting {
  get body(): number {
    return this.start + WIRE_HEADER_BYTES;
  }

  /** Whom the call names, as sent. */
  named(): Identifier | null {
    const kind = identifierKinds[this.identifierKind];
    if (kind === undefined || kind === 'none' || this.identifier.start < 0) return null;
    return { kind, value: this.text(this.identifier) };
  }

  /** The fields behind the routing fields that an identify is decided by. */
  identifyFields(): IdentifyFields {
    const { id, email, cio_id: cioId, update_only: updateOnly } = this.identifyValues();
    return { id, email, cioId, updateOnly };
  }

  /** Which call a marker is of. */
  callOfMarker(): string | null {
    return this.markerValues().name;
  }
}
