/**
 * What a person took along from the visitors that were theirs, so that a conversion on another device, or after the claim,
 * is credited. Exposures and orders come in any order: whichever is second finds the first. Pure.
 */
import { matches } from '../../rules/matching.ts';
import { conversionMsUsual } from '../../rules/message.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { conversionBy, converted, type Conversion, type Exposed } from './decide-conversions.ts';
import type { Happened } from './effects.ts';
import { ruleEvent, type VisitorEvent } from './fold-event.ts';
import { stepOf } from './storefront.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

export interface PersonExposure extends Exposed {
  readonly anonymousId: string;
}

/** An event that is a conversion of some message. */
interface Order extends Conversion {
  readonly anonymousId: string | null;
  /** Messages that it is a conversion of. */
  readonly of: readonly string[];
  /** Messages that it was credited to. */
  readonly credited: readonly string[];
}

export interface Person {
  readonly exposures: readonly PersonExposure[];
  readonly orders: readonly Order[];
  /** Somebody else has all of it now, and gets what comes. */
  readonly absorbedBy: string | null;
  readonly isDeleted: boolean;
}

/** The newest of each are kept. */
export const exposuresMax = 200;
export const ordersMax = 50;
export const messagesAnOrderMax = 50;

export const newPerson: Person = { exposures: [], orders: [], absorbedBy: null, isDeleted: false };

/** A conversion, and whom it is told of. */
export interface Credited {
  readonly anonymousId: string;
  readonly happened: Happened;
}
export interface PersonDecision {
  readonly person: Person;
  readonly credited: readonly Credited[];
}

export function withExposure(
  person: Person,
  exposure: PersonExposure,
  messages: WorkspaceMessages,
): PersonDecision {
  const others = person.exposures.filter(
    (other) => other.messageId !== exposure.messageId || other.anonymousId !== exposure.anonymousId,
  );
  const exposures = [...others, exposure].slice(-exposuresMax);
  return credit({ ...person, exposures }, messages);
}

/**
 * undefined: the event is a conversion of nothing.
 * @param patterns what is left of steps for the event; what asking takes is spent of it.
 */
export function withOrder(
  person: Person,
  event: VisitorEvent & { readonly anonymousId: string | null },
  messages: WorkspaceMessages,
  patterns = new PatternSteps(),
): PersonDecision | undefined {
  const of = messagesConvertedBy(event, messages, patterns);
  if (of.length === 0) return undefined;
  if (person.orders.some(({ eventId }) => eventId === event.messageId)) return undefined;
  const order: Order = {
    ...conversionBy(event),
    anonymousId: event.anonymousId,
    of,
    credited: [],
  };
  return credit({ ...person, orders: [...person.orders, order].slice(-ordersMax) }, messages);
}

function messagesConvertedBy(
  event: VisitorEvent,
  messages: WorkspaceMessages,
  patterns: PatternSteps,
): readonly string[] {
  const { type, name } = event;
  if (type === 'identify') return [];
  const isOrder = stepOf(name) === 'ordered';
  const seen = ruleEvent(event, type);
  const found = [...messages.byId.values()].filter(({ message: { conversion }, conversionSteps }) => {
    patterns.spend(conversionSteps);
    return conversion === null ? isOrder : matches(conversion, seen, patterns);
  });
  return found.slice(0, messagesAnOrderMax).map(({ id }) => id);
}

function credit(person: Person, messages: WorkspaceMessages): PersonDecision {
  const credited: Credited[] = [];
  const orders = person.orders.map((order) => {
    const found = order.of.flatMap((messageId) => {
      const rule = messages.byId.get(messageId);
      const exposure = rule === undefined ? undefined : creditedExposure(person, order, rule);
      return exposure === undefined ? [] : [exposure];
    });
    credited.push(
      ...found.map((exposure) => ({
        anonymousId: exposure.anonymousId,
        happened: converted(exposure, order),
      })),
    );
    return { ...order, credited: [...order.credited, ...found.map(({ messageId }) => messageId)] };
  });
  return { person: { ...person, orders }, credited };
}

/** The latest before the order. One that was made in a lane of an exposure is told of there. */
function creditedExposure(person: Person, order: Order, rule: MessageRule): PersonExposure | undefined {
  if (order.credited.includes(rule.id)) return undefined;
  const exposures = person.exposures.filter(({ messageId }) => messageId === rule.id);
  if (exposures.some(({ anonymousId }) => anonymousId === order.anonymousId)) return undefined;
  const withinMs = rule.message.conversion?.withinMs ?? conversionMsUsual;
  return exposures
    .filter(({ at }) => at <= order.at && order.at <= at + withinMs)
    .reduce<PersonExposure | undefined>(
      (best, one) => (best === undefined || one.at > best.at ? one : best),
      undefined,
    );
}
