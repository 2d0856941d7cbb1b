/** What an event changes of a visitor. Pure. */
import { deviceIn } from '../../rules/devices.ts';
import { isJsonObject, parseJsonObject, valueAt, type JsonObject } from '../../rules/paths.ts';
import { PatternSteps } from '../../rules/pattern-steps.ts';
import { windowTime, type RuleEvent } from '../../rules/matching.ts';
import { withRoomMade } from './make-room.ts';
import { withEvent } from './marks.ts';
import { identityOf, itemsOf, stepOf, type Step } from './storefront.ts';
import {
  attributeCharsMax,
  attributesMax,
  cartLinesMax,
  categoriesMax,
  itemsMax,
  ruleMarksBytesMax,
  sessionMsMax,
  type CartLine,
  type Item,
  type RuleMarks,
  type Visitor,
} from './visitor.ts';
import type { MessageRule, WorkspaceMessages } from './workspace-messages.ts';

/** As collected; `properties` and `context` are JSON text. */
export interface VisitorEvent {
  readonly type: 'event' | 'page' | 'screen' | 'identify';
  readonly name: string | null;
  readonly messageId: string;
  readonly timestamp: number;
  readonly receivedAt: number;
  readonly namesSomebody: boolean;
  /** Its user agent is a program's, as the gateway saw it. */
  readonly isBot: boolean;
  readonly properties: string | null;
  readonly context: string | null;
}

export interface Folded {
  readonly visitor: Visitor;
  /** The visitor has as much counted as may be: this event was not. */
  readonly leftOut: boolean;
  /** Tests of patterns that were not made. */
  readonly patternsSkipped: number;
  /** That it took to ask the messages (services/rules/pattern-steps.ts). */
  readonly steps: number;
}

export function foldEvent(before: Visitor, event: VisitorEvent, messages: WorkspaceMessages): Folded {
  const context = parseJsonObject(event.context);
  let visitor = withVisit(withRoomMade(before, messages), event, context);
  if (event.type === 'identify') {
    if (event.namesSomebody) visitor = { ...visitor, isIdentified: true };
    else visitor = withAttributes(visitor, parseJsonObject(event.properties));
    return { visitor, leftOut: false, patternsSkipped: 0, steps: 0 };
  }
  if (event.namesSomebody) visitor = { ...visitor, isIdentified: true };
  const step = stepOf(event.name);
  if (step !== undefined) visitor = withStep(visitor, step, event);
  return withMarks(visitor, event, messages);
}

/** Sessions, pages, where they came from and what with. */
function withVisit(before: Visitor, event: VisitorEvent, context: JsonObject): Visitor {
  const at = Math.max(event.receivedAt, before.lastAt);
  const isNew = before.sessions === 0 || at - before.lastAt > sessionMsMax;
  const isPage = event.type === 'page' || event.type === 'screen';
  const timezone = textAt(context, 'timezone') ?? before.timezone;
  const visitor: Visitor = {
    ...before,
    firstAt: before.firstAt === 0 ? at : before.firstAt,
    lastAt: at,
    sessions: before.sessions + (isNew ? 1 : 0),
    sessionAt: isNew ? at : before.sessionAt,
    pages: before.pages + (isPage ? 1 : 0),
    sessionPages: (isNew ? 0 : before.sessionPages) + (isPage ? 1 : 0),
    lastPageAt: isPage ? at : before.lastPageAt,
    timezone,
    // Until a browser views a page: what a shop's server sent in their name, by a program, is not held against them for ever.
    isBot: event.isBot || (before.isBot && !isPage),
  };
  return withAttributes(visitor, sourceOf(context, isPage && visitor.sessionPages === 1));
}

function sourceOf(context: JsonObject, isLanding: boolean): JsonObject {
  const found: Record<string, unknown> = {};
  for (const part of ['source', 'medium', 'term', 'content']) {
    found[`utm_${part}`] = valueAt(context, `campaign.${part}`);
  }
  found['utm_campaign'] = valueAt(context, 'campaign.name');
  found['locale'] = valueAt(context, 'locale');
  found['country'] = valueAt(context, 'location.country');
  const agent = textAt(context, 'userAgent');
  if (agent !== undefined)
    found['device_type'] = /Mobi|Android|iPhone|iPad/.test(agent) ? 'mobile' : 'desktop';
  if (isLanding) {
    found['landing_page'] = valueAt(context, 'page.url');
    found['referrer'] = valueAt(context, 'page.referrer');
  }
  return found;
}

/** Scalars only. What there is no room for is left out; null removes. */
function withAttributes(before: Visitor, sent: JsonObject): Visitor {
  const attributes: Record<string, string | number | boolean> = { ...before.attributes };
  let changed = false;
  for (const [name, value] of Object.entries(sent)) {
    if (value === undefined || name.length > attributeCharsMax || name === '__proto__') continue;
    if (value === null || value === '') {
      changed ||= Object.hasOwn(attributes, name);
      Reflect.deleteProperty(attributes, name);
      continue;
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') continue;
    const kept = typeof value === 'string' ? value.slice(0, attributeCharsMax) : value;
    if (attributes[name] === kept) continue;
    if (!Object.hasOwn(attributes, name) && Object.keys(attributes).length >= attributesMax) continue;
    attributes[name] = kept;
    changed = true;
  }
  return changed ? { ...before, attributes } : before;
}

function withStep(before: Visitor, step: Step, event: VisitorEvent): Visitor {
  const items = step === 'ordered' ? [] : itemsOf(parseJsonObject(event.properties));
  switch (step) {
    case 'viewed':
      return items.reduce(withViewed, before);
    case 'added':
      return { ...before, cart: items.reduce(withLine, before.cart) };
    case 'removed':
      return { ...before, cart: items.reduce(withoutLine, before.cart) };
    case 'ordered':
      return { ...before, cart: [], orders: before.orders + 1, lastOrderAt: before.lastAt };
  }
}

function withViewed(before: Visitor, line: CartLine): Visitor {
  const item: Item = { ...line };
  Reflect.deleteProperty(item, 'quantity'); // a product that is looked at has none
  const others = before.items.filter((other) => identityOf(other) !== identityOf(item));
  const viewed = { ...before, items: [item, ...others].slice(0, itemsMax) };
  const { category } = item;
  if (category === undefined || category === '__proto__') return viewed;
  const isKnown = Object.hasOwn(before.categories, category);
  if (!isKnown && Object.keys(before.categories).length >= categoriesMax) return viewed;
  const count = isKnown ? (before.categories[category] ?? 0) : 0;
  return { ...viewed, categories: { ...before.categories, [category]: count + 1 } };
}

function withLine(cart: readonly CartLine[], line: CartLine): readonly CartLine[] {
  const same = cart.find((other) => identityOf(other) === identityOf(line));
  const others = cart.filter((other) => other !== same);
  const quantity = line.quantity + (same?.quantity ?? 0);
  return [{ ...line, quantity }, ...others].slice(0, cartLinesMax);
}

/** Without a quantity of its own the whole line goes. */
function withoutLine(cart: readonly CartLine[], line: CartLine): readonly CartLine[] {
  return cart.flatMap((other) => {
    if (identityOf(other) !== identityOf(line)) return [other];
    const quantity = other.quantity - line.quantity;
    return quantity > 0 ? [{ ...other, quantity }] : [];
  });
}

function withMarks(visitor: Visitor, event: VisitorEvent, messages: WorkspaceMessages): Folded {
  const watchers = [...(messages.byName.get(event.name) ?? []), ...(messages.byName.get(null) ?? [])];
  if (watchers.length === 0 || event.type === 'identify')
    return { visitor, leftOut: false, patternsSkipped: 0, steps: 0 };
  const patterns = new PatternSteps();
  const rules: Record<string, RuleMarks> = { ...visitor.rules };
  const seen = ruleEvent(event, event.type);
  for (const { rule, counted } of watchers) {
    const marks = Object.hasOwn(rules, rule.id) ? (rules[rule.id]?.marks ?? {}) : {};
    const key = rule.markKeys.get(counted.pointer) ?? counted.pointer;
    const now = withEvent(counted, marks[key] ?? [], seen, patterns);
    if (now === marks[key]) continue;
    if (now.length === 0) continue;
    rules[rule.id] = { marks: { ...asked(marks, rule), [key]: now } };
  }
  for (const id of Object.keys(rules)) if (!messages.byId.has(id)) Reflect.deleteProperty(rules, id);
  patterns.spend(watchers.reduce((sum, { steps }) => sum + steps, 0));
  const { skipped: patternsSkipped, taken: steps } = patterns;
  const leftOut = JSON.stringify(rules).length > ruleMarksBytesMax;
  return { visitor: leftOut ? visitor : { ...visitor, rules }, leftOut, patternsSkipped, steps };
}

/** Without what conditions that are not there any more have left. */
function asked(marks: RuleMarks['marks'], { markKeys }: MessageRule): RuleMarks['marks'] {
  const keys = new Set(markKeys.values());
  return Object.fromEntries(Object.entries(marks).filter(([key]) => keys.has(key)));
}

/** An event as conditions see it. */
export function ruleEvent(event: VisitorEvent, type: 'event' | 'page' | 'screen'): RuleEvent {
  let properties: JsonObject | undefined;
  return {
    name: event.name ?? '',
    type,
    messageId: event.messageId,
    time: windowTime(event.timestamp, event.receivedAt),
    receivedAt: event.receivedAt,
    properties: () => (properties ??= parseJsonObject(event.properties)),
    isBot: () => event.isBot,
    device: () => deviceIn(event.context),
  };
}

function textAt(object: JsonObject, path: string): string | undefined {
  const value = isJsonObject(object) ? valueAt(object, path) : undefined;
  return typeof value === 'string' && value !== '' ? value.slice(0, attributeCharsMax) : undefined;
}
