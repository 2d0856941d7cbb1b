import { describe, expect, test } from '@jest/globals';
import { addressOf, markOf, matches, type RuleEvent } from './matching.ts';
import type { EventCondition } from './condition.ts';

const visit = (name: string, properties = {}, type: RuleEvent['type'] = 'page'): RuleEvent => ({
  name,
  type,
  messageId: 'm',
  time: 1,
  receivedAt: 1,
  properties: () => properties,
});
const condition = (name: string): EventCondition => ({
  type: 'event',
  pointer: '',
  name,
  nameCheck: null,
  eventType: null,
  where: [{ path: 'address', check: { type: 'eq', value: 'https://shop.example/pricing' } }],
  count: { type: 'distinct', path: 'address', n: 1 },
  withinMs: null,
});

describe('what a program did', () => {
  const byBots: EventCondition = {
    ...condition('Seen'),
    where: [{ path: 'bot', check: { type: 'eq', value: true } }],
  };
  const seen = (isBot: boolean, properties = {}): RuleEvent => ({
    ...visit('Seen', properties, 'event'),
    isBot: () => isBot,
  });

  test('has a property bot that is true, and nothing else has one; what the client says itself goes before', () => {
    expect(matches(byBots, seen(true))).toBe(true);
    expect(matches(byBots, seen(false))).toBe(false);
    expect(matches(byBots, visit('Seen', {}, 'event'))).toBe(false);
    expect(matches(byBots, seen(true, { bot: false }))).toBe(false);
    const notByBots = { ...byBots, where: [{ path: 'bot', check: { type: 'not_exists' as const } }] };
    expect([seen(true), seen(false)].map((event) => matches(notByBots, event))).toEqual([false, true]);
  });
});

describe('case 28: the address of a page', () => {
  test.each([
    'https://shop.example/pricing',
    'https://shop.example/pricing?gclid=1',
    'https://shop.example/pricing#top',
    'https://shop.example/pricing?a=1#top?b',
  ])('%s without query and fragment', (name) => {
    expect(addressOf(name)).toBe('https://shop.example/pricing');
    expect(matches(condition(name), visit(name))).toBe(true);
    expect(markOf(condition(name), visit(name))).toEqual([1, 'm', 'shttps://shop.example/pricing']);
  });

  test('other pages, other types, and what the client says itself', () => {
    const name = 'https://shop.example/pricing?gclid=1';
    expect(matches(condition('https://shop.example/'), visit('https://shop.example/'))).toBe(false);
    expect(matches(condition(name), visit(name, {}, 'event'))).toBe(false);
    expect(matches(condition(name), visit(name, { address: 'Ringstrasse 1' }))).toBe(false);
    expect(markOf(condition(name), visit(name, {}, 'screen'))).toBeUndefined();
  });
});
