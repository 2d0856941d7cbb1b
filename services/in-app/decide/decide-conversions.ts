/** Whether an event is what a message was for: in the visitor's own lane, soon enough after it was shown or held out. Pure. */
import { matches } from '../../rules/matching.ts';
import { conversionMsUsual } from '../../rules/message.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { parseJsonObject } from '../../rules/paths.ts';
import type { Happened } from './effects.ts';
import { ruleEvent, type VisitorEvent } from './fold-event.ts';
import { stepOf, totalOf } from './storefront.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

/** What somebody was shown, or was held out from. */
export interface Exposed {
  readonly messageId: string;
  readonly variant: string | null;
  readonly version: number;
  /** The first of this version, in both arms: from the latest showing later orders would count for who is shown it alone. */
  readonly at: number;
  readonly isHeldOut: boolean;
  readonly hasClicked: boolean;
}

/** @param patterns what is left of steps for the event; what asking takes is spent of it. */
export function conversionsOf(
  exposed: readonly Exposed[],
  event: VisitorEvent,
  messages: WorkspaceMessages,
  patterns = new PatternSteps(),
): readonly Happened[] {
  const { type } = event;
  if (exposed.length === 0 || type === 'identify') return [];
  const seen = ruleEvent(event, type);
  let conversion: Conversion | undefined;
  return exposed.flatMap((one) => {
    const rule = messages.byId.get(one.messageId);
    patterns.spend(rule?.conversionSteps ?? 0);
    if (rule === undefined || !isConversion(rule, event, (matcher) => matches(matcher, seen, patterns))) {
      return [];
    }
    const withinMs = rule.message.conversion?.withinMs ?? conversionMsUsual;
    if (event.receivedAt < one.at || event.receivedAt > one.at + withinMs) return [];
    return [converted(one, (conversion ??= conversionBy(event)))];
  });
}

function isConversion(
  { message }: MessageRule,
  event: VisitorEvent,
  passes: (matcher: NonNullable<MessageRule['message']['conversion']>) => boolean,
): boolean {
  return message.conversion === null ? stepOf(event.name) === 'ordered' : passes(message.conversion);
}

/** What a message was for has happened. */
export interface Conversion {
  readonly eventId: string;
  readonly at: number;
  readonly value: string | null;
  readonly currency: string | null;
}

export function converted(one: Exposed, { eventId, at, value, currency }: Conversion): Happened {
  return {
    messageId: one.messageId,
    version: one.version,
    variant: one.isHeldOut ? 'holdout' : one.variant,
    event: 'converted',
    reason: one.isHeldOut ? 'held_out' : one.hasClicked ? 'click_through' : 'view_through',
    at,
    causeMessageId: eventId,
    value,
    currency,
  };
}

export function conversionBy({ messageId, receivedAt, properties }: VisitorEvent): Conversion {
  return { eventId: messageId, at: receivedAt, ...totalOf(parseJsonObject(properties)) };
}
