/** An event of a person as rules ask for it. Pure. */
import { deviceIn } from '../../rules/devices.ts';
import { windowTime, type RuleEvent } from '../../rules/matching.ts';
import { parseJsonObject, type JsonObject } from '../../rules/paths.ts';

/** What it takes of a person's event. */
interface Asked extends Pick<RuleEvent, 'name' | 'messageId' | 'receivedAt'> {
  readonly type: string;
  readonly timestamp: number;
  details(): { readonly properties: string | null; readonly context: string | null; readonly bot: boolean };
}

/** undefined: nobody did it, so no rule counts it. */
export function ruleEventOf(event: Asked): RuleEvent | undefined {
  const { type, name, messageId, timestamp, receivedAt } = event;
  if (type !== 'event' && type !== 'page' && type !== 'screen') return undefined;
  let parsed: JsonObject | undefined;
  const time = windowTime(timestamp, receivedAt);
  const properties = () => (parsed ??= parseJsonObject(event.details().properties));
  const isBot = () => event.details().bot;
  const device = () => deviceIn(event.details().context);
  return { type, name, messageId, time, receivedAt, properties, isBot, device };
}
