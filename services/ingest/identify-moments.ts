/**
 * Moments that identify (spec E row 88): where a workspace says that an event names somebody by one of its properties, an
 * email in a popup or a checkout, say, the visitor is identified as by a call of their own, and the event is the person's.
 * An event that names somebody by itself stays as it is. Pure.
 */
import { canonicalEmail, isEmailShaped } from '../../schemas/identifiers.ts';
import type { Identifier } from '../../schemas/lanes.ts';
import type { CollectedEvent } from '../../schemas/records.ts';
import { foldedName } from '../runtime/event-names.ts';
import type { IdentifyMoment } from '../runtime/workspace-settings.ts';
import type { NotedCall } from './corrections.ts';
import { isObject, objectIn } from './json-text.ts';
import { isIdentifier, noteNoName, ofKind, phoneIn, withoutPlaceholder } from './names.ts';
import { eventOutcome, type Outcome } from './translation.ts';
import { storedMessageId } from './message-id.ts';

/**
 * The identify and the event, in this order; undefined when the event identifies nobody.
 * @param moments with folded events.
 */
export function identifiedBy(
  call: NotedCall,
  event: CollectedEvent,
  moments: readonly IdentifyMoment[],
): readonly Outcome[] | undefined {
  if (event.identifier !== null || event.anonymous_id === null || event.properties === null) return undefined;
  if (moments.length === 0) return undefined;
  const name = foldedName(event.name ?? '');
  for (const moment of moments) {
    if (moment.event !== name) continue;
    const named = namedBy(call, event.properties, moment);
    if (named !== undefined) return outcomes(call, event, named);
  }
  return undefined;
}

interface Named {
  readonly identifier: Identifier;
  /** JSON of what it tells of the person. */
  readonly attributes: string;
}

function namedBy(call: NotedCall, properties: string, { property, kind }: IdentifyMoment): Named | undefined {
  const value = valueIn(objectIn(properties).value, property);
  const text = typeof value === 'number' && kind !== 'email' ? String(value) : value;
  if (typeof text !== 'string' || text.trim() === '') return undefined;
  const field = `properties.${property}`;
  if (kind === 'phone') {
    const phone = phoneIn(call, field, text);
    if (phone === undefined) {
      noteNoName(call, field, text);
      return undefined;
    }
    return { identifier: { kind: 'id', value: phone }, attributes: JSON.stringify({ phone }) };
  }
  if (kind === 'email' && !isEmailShaped(canonicalEmail(text))) {
    noteNoName(call, field, text);
    return undefined;
  }
  const identifier = ofKind(call, field, { kind, value: text });
  if (!isIdentifier(identifier) || withoutPlaceholder(call, field, identifier.value) === null)
    return undefined;
  return { identifier, attributes: kind === 'email' ? JSON.stringify({ email: text.trim() }) : '{}' };
}

/** The key as it is written if it is there, else dots lead into objects. */
function valueIn(object: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(object, path)) return object[path];
  let at: unknown = object;
  for (const key of path.split('.')) {
    if (!isObject(at) || !Object.hasOwn(at, key)) return undefined;
    at = at[key];
  }
  return at;
}

function outcomes(
  call: NotedCall,
  event: CollectedEvent,
  { identifier, attributes }: Named,
): readonly Outcome[] {
  const { kind, value } = identifier;
  const identify = eventOutcome(
    { ...call, isBot: event.bot },
    {
      type: 'identify',
      identifier,
      anonymousId: event.anonymous_id,
      // A repeat of the event brings the same one, so it is a repeat too.
      messageId: storedMessageId(`${event.message_id}#identify`),
      timestamp: event.timestamp,
      name: null,
      properties: attributes,
      context: event.context,
    },
    {
      id: kind === 'id' ? value : null,
      email: kind === 'email' ? value : null,
      cioId: null,
      updateOnly: false,
      attributesAt: null,
    },
  );
  return [identify, { type: 'event', event: { ...event, identifier_kind: kind, identifier: value } }];
}
