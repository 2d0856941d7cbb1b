/**
 * An event as its workspace wants it kept: under its canonical name, with one list of items (contract, *Words*). What was
 * sent otherwise stands in `context.as_sent`, so nothing is lost and no second record is needed. Pure.
 *
 * It may become four times as large as it was sent: the limit on what is sent (eventDataBytesMax) leaves room for that
 * under the limit on what is kept (eventTextBytesMax), and a test holds the two against each other.
 */
import type { CollectedEvent } from '../../schemas/records.ts';
import type { CallForm } from './call-form.ts';
import { objectIn } from './json-text.ts';
import { normalItems } from './normalise-items.ts';

/** Most events have none of these words, and are not read again. */
const HAS_LIST = /"(?:items|products|line_items|skus)"\s*:/;

export function normalEvent(event: CollectedEvent, { names, isWithItems }: CallForm): CollectedEvent {
  if (event.type !== 'event' || event.name === null) return event;
  const name = names?.of(event.name) ?? event.name;
  const asSent: string[] = name === event.name ? [] : [`"name":${JSON.stringify(event.name)}`];
  let { properties } = event;
  if (isWithItems && properties !== null && HAS_LIST.test(properties)) {
    const sent = objectIn(properties);
    const items = normalItems(sent);
    if (items !== undefined) {
      properties = sent.withText('items', items.text).text;
      if (items.replaced !== undefined) asSent.push(`"items":${items.replaced}`);
    }
  }
  if (asSent.length === 0 && properties === event.properties) return event;
  const context = asSent.length === 0 ? event.context : withAsSent(event.context, `{${asSent.join(',')}}`);
  return { ...event, name, properties, context };
}

function withAsSent(context: string | null, asSent: string): string {
  return context === null ? `{"as_sent":${asSent}}` : objectIn(context).withText('as_sent', asSent).text;
}
