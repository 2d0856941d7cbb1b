/** The published schema of messages, and the messages that come with the product, against what is accepted. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Compile } from 'typebox/compile';
import { runs } from '../testing/runs.ts';
import { messageSchema } from './message-schema.ts';
import { messageWarnings } from './message-warnings.ts';
import { parseMessage } from './parse-message.ts';

const schema = Compile(messageSchema);
const folder = new URL('../../examples/on-site/messages/', import.meta.url);
const content = { kind: 'modal', title: 'Hello' };

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const good = fc.record({
  name: fc.constant('x'),
  state: fc.constantFrom('draft', 'running', 'stopped'),
  audience: optional(
    fc.constantFrom(null, { event: 'A' }, { event: 'A', without: { event: 'B' }, for: 'PT10M' }),
  ),
  pages: optional(fc.array(fc.constantFrom({ contains: 'a' }, { equals: '/*' }), { maxLength: 3 })),
  frequency: optional(fc.constantFrom({ mode: 'once' }, { mode: 'always' }, { times: 3, gap: 'PT1H' })),
  caps: optional(fc.constantFrom({}, { session: 1, day: 20, gap: 'P1D', group: 'g' })),
  suppress: optional(
    fc.constantFrom([], [{ event: 'A', within: 'P1D' }], [{ type: 'page', within: 'PT1H' }]),
  ),
  schedule: optional(fc.constantFrom({}, { from: '2026-01-01T00:00:00Z', until: null })),
  priority: optional(fc.nat({ max: 1_000 })),
  holdout: optional(fc.constantFrom(0, 0.5, 1)),
  conversion: optional(fc.constantFrom({ event: 'A' }, { event: 'A', within: 'P7D' })),
  content: fc.constantFrom(
    content,
    { kind: 'inline', element: '#slot', html: '<p>x</p>' },
    {
      ...content,
      actions: [
        { name: 'a', label: 'A', url: '/a', close: true },
        { name: 'b', label: 'B', snooze: 5 },
      ],
    },
    { ...content, coupon: 'X', form: { fields: ['email', 'shoe_size'], submit: 'Go' } },
  ),
});

/** As it comes over HTTP. */
const sent = (body: unknown): unknown => JSON.parse(JSON.stringify(body));

test('the published schema and the parser accept the same messages', () => {
  fc.assert(
    fc.property(good, fc.boolean(), ({ content: shown, ...rest }, isVaried) => {
      const variants = [{ id: 'a', weight: 1, content: shown }];
      const body = sent(isVaried ? { ...rest, variants } : { ...rest, content: shown });
      expect(parseMessage(body)).toMatchObject({ ok: true });
      expect({ body, isGood: schema.Check(body) }).toEqual({ body, isGood: true });
    }),
    { numRuns: runs(200) },
  );
});

test.each([
  { name: '' },
  { state: 'sleeping' },
  { colour: 1 },
  { content: { kind: 'toast', title: 'x' } },
  { content: { ...content, actions: [{ name: 'a' }] } },
  { content: { ...content, actions: [{ name: 'a', label: null }] } },
  { content: { ...content, form: { fields: ['email'], submit: null } } },
  { content: { ...content, form: { fields: [], submit: 'x' } } },
  { content: { ...content, form: { fields: ['Email'], submit: 'x' } } },
  { variants: [{ id: 'a', weight: 1, content }] },
  { pages: [{ starts: 'x' }] },
  { pages: [{ contains: 'x', equals: 'y' }] },
  { frequency: { mode: 'often' } },
  { frequency: { times: 21 } },
  { frequency: { mode: 'once', times: 1 } },
  { caps: { session: 0 } },
  { suppress: [{ event: 'A' }] },
  { schedule: { from: 'tomorrow' } },
  { priority: 1_001 },
  { holdout: 2 },
  { conversion: { within: 'P1D' } },
])('neither accepts %j', (part) => {
  const body = { name: 'x', state: 'draft', content, ...part };
  expect(parseMessage(body).ok).toBe(false);
  expect(schema.Check(body)).toBe(false);
});

test('the messages that come with the product are drafts that nothing is wrong with, and each has a next step', () => {
  const files = readdirSync(folder);
  expect(files.length).toBeGreaterThanOrEqual(2);
  for (const file of files) {
    const body: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    expect([file, parseMessage(body)]).toMatchObject([file, { ok: true, value: { state: 'draft' } }]);
    expect([file, messageWarnings(body), schema.Check(body)]).toEqual([file, [], true]);
  }
});
