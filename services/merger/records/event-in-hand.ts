/** The event that a lane deals with: its bytes, and what the decider and the outputs need of it. */
import { hash } from 'node:crypto';
import { schemaIdOf, WIRE_HEADER_BYTES, type Codecs } from '../../../schemas/codec.ts';
import type { Workspace } from '../../../schemas/ids.ts';
import type { Span } from '../../../schemas/in-place/in-place-reader.ts';
import { canonicalIdentifier, type Identifier } from '../../../schemas/lanes.ts';
import type { LaneEvent } from '../decide/decide.ts';
import { consentIn, EventRouting, IDENTIFY, isCounted, type IdentifyFields } from './routing.ts';

/** Most are shorter, and are then kept as they are. */
const PLAIN_CHARS_MAX = 100;

const noFields: IdentifyFields = { id: null, email: null, cioId: null, updateOnly: false };

/** One object, used again for every event. */
export class EventInHand {
  readonly routing = new EventRouting();
  readonly #codecs: Codecs;
  readonly #schemaId: number;
  /** Of events.collected. */
  offset = -1;
  fields: IdentifyFields = noFields;
  #identifier: Identifier | null = null;
  /** The last one, as text and as bytes: nearly always the next one's, too. */
  #workspace = '' as Workspace;
  #workspaceBytes: Uint8Array = new Uint8Array(0);

  constructor(codecs: Codecs) {
    this.#codecs = codecs;
    this.#schemaId = codecs.CollectedEvent.schemaId;
  }

  /**
   * Takes the value in bytes[start, end). A value of another version of the schema is written anew, since outputs
   * append its bytes to ours. False when it cannot be read; UnknownSchemaError when its schema must be loaded first.
   */
  take(bytes: Buffer, start: number, end: number, offset: number): boolean {
    this.offset = offset;
    if (this.#isOurs(bytes, start, end)) return this.routing.read(bytes, start, end);
    if (end - start < WIRE_HEADER_BYTES || bytes[start] !== 0) return false;
    const codec = this.#codecs.CollectedEvent;
    if (!codec.knows(schemaIdOf(bytes, start))) codec.decode(bytes, start, end); // throws UnknownSchemaError
    const rewritten = this.#rewritten(bytes, start, end);
    return rewritten !== undefined && this.routing.read(rewritten, 0, rewritten.length);
  }

  /** What the decider is told. */
  laneEvent(behindMarker: boolean): LaneEvent {
    const { routing } = this;
    const identify = routing.type === IDENTIFY;
    this.fields = identify ? routing.identifyFields() : noFields;
    this.#identifier = routing.named() ?? principal(this.fields);
    const { receivedAt, timestamp } = routing;
    const anonymous = routing.anonymousId.start >= 0;
    const fingerprint = identify ? this.#fingerprint() : null;
    const uncounted = !isCounted(routing.type);
    const [identifier, consent] = [this.#identifier, consentIn(routing.type)];
    const waits = !anonymous || identifier !== null || routing.waitingValues().waits;
    const when = { receivedAt, timestamp, behindMarker };
    return { ...when, anonymous, uncounted, waits, identifier, fingerprint, consent };
  }

  /** Whom the call is about; after laneEvent. */
  get identifier(): Identifier | null {
    return this.#identifier;
  }
  get workspace(): Workspace {
    const { bytes, workspace: span } = this.routing;
    if (!this.#isLastWorkspace(bytes, span)) {
      this.#workspace = this.routing.text(span) as Workspace; // ingest checked it before it wrote the key
      this.#workspaceBytes = Uint8Array.prototype.slice.call(bytes, span.start, span.end);
    }
    return this.#workspace;
  }
  get messageId(): string {
    return this.routing.text(this.routing.messageId);
  }
  get anonymousId(): string | null {
    return this.routing.textOrNull(this.routing.anonymousId);
  }

  #isLastWorkspace(bytes: Uint8Array, { start, end }: Span): boolean {
    const last = this.#workspaceBytes;
    if (end - start !== last.length) return false;
    for (let i = 0; i < last.length; i += 1) if (bytes[start + i] !== last[i]) return false;
    return true;
  }

  /** The anonymous id needs no part in it: it is the lane's. */
  #fingerprint(): string {
    const { id, email, cioId } = this.fields;
    const named = this.#identifier && canonicalIdentifier(this.#identifier);
    const text = JSON.stringify([named?.kind, named?.value, id, email?.toLowerCase(), cioId]);
    return text.length <= PLAIN_CHARS_MAX ? text : hash('sha256', text, 'base64');
  }

  #isOurs(bytes: Buffer, start: number, end: number): boolean {
    return (
      end - start > WIRE_HEADER_BYTES &&
      bytes[start] === 0 &&
      bytes.readUInt32BE(start + 1) === this.#schemaId
    );
  }

  #rewritten(bytes: Buffer, start: number, end: number): Buffer | undefined {
    const codec = this.#codecs.CollectedEvent;
    try {
      return codec.encode(codec.decode(bytes, start, end));
    } catch {
      return undefined; // truncated or not a record: the caller writes a dead letter
    }
  }
}

/** An identify that names nobody by itself is about the first identifier that it carries. */
function principal({ cioId, id, email }: IdentifyFields): Identifier | null {
  if (cioId !== null) return { kind: 'cio_id', value: cioId };
  if (id !== null) return { kind: 'id', value: id };
  return email === null ? null : { kind: 'email', value: email };
}
