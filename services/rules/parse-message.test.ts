import { describe, expect, test } from '@jest/globals';
import { pagePattern } from './page-rules.ts';
import { parseMessage } from './parse-message.ts';

const content = { kind: 'modal', title: 'Hello' };
const message = { name: 'm', state: 'draft', content };

function faultsOf(rest: object): Record<string, string> {
  const parsed = parseMessage({ ...message, ...rest });
  return parsed.ok ? {} : Object.fromEntries(parsed.faults.map(({ pointer, code }) => [pointer, code]));
}

describe('a message', () => {
  test('is a modal in the centre for everybody on every page, unless it says otherwise (spec E rows 53 and 63)', () => {
    const parsed = parseMessage(message);
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        audience: null,
        pages: [],
        frequency: { mode: 'until_interacted' },
        suppress: null,
        holdout: 0,
        priority: 100,
        variants: [{ id: 'default', content: { kind: 'modal', position: 'center', element: null } }],
      },
    });
  });

  test.each(['top', 'bottom', 'left', 'right', 'top-left', 'top-right', 'bottom-left', 'bottom-right'])(
    'may lie over the page at its %s (spec E row 64)',
    (position) => {
      expect(faultsOf({ content: { ...content, kind: 'overlay', position } })).toEqual({});
      expect(faultsOf({ content: { ...content, kind: 'inline', element: '#a', position } })).toEqual({
        '/content/position': 'unknown_value',
      });
    },
  );

  test('names every fault with its pointer', () => {
    const bad = {
      audience: { any: [{ segment: 's' }, { event: 'x', within: 'soon' }] },
      pages: [{ contains: 'a', equals: 'b' }, { contains: '*'.repeat(11) }],
      frequency: { mode: 'once', times: 3 },
      caps: { day: 21, session: 0, gap: 'PT0S' },
      suppress: [{ event: 'x' }],
      schedule: { from: '2026-03-02T00:00:00Z', until: '2026-03-01T00:00:00Z' },
      priority: -1,
      holdout: 2,
      conversion: { within: 'P1D' },
      extra: 1,
    };
    expect(faultsOf(bad)).toEqual({
      '/extra': 'unknown_key',
      '/audience/any/1/within': 'invalid_duration',
      '/pages/0': 'ambiguous',
      '/pages/1/contains': 'too_many',
      '/frequency/times': 'ambiguous',
      '/caps/day': 'out_of_range',
      '/caps/session': 'out_of_range',
      '/caps/gap': 'invalid_duration',
      '/suppress/0/within': 'required',
      '/schedule/until': 'out_of_range',
      '/conversion/event': 'required',
    });
    expect(faultsOf({ priority: -1, holdout: 2 })).toEqual({
      '/priority': 'out_of_range',
      '/holdout': 'out_of_range',
    });
    expect(faultsOf({ audience: { segment: 's' } })).toEqual({ '/audience': 'unknown_value' });
  });

  test('has texts that are Liquid, and buttons that run nothing', () => {
    const actions = [
      { name: 'a', label: '{{ x', url: 'javascript:alert(1)' },
      { name: 'b', label: 'B', url: '{{ last_item.url }}' },
    ];
    expect(faultsOf({ content: { ...content, html: '{% if %}', actions } })).toEqual({
      '/content/html': 'invalid_template',
      '/content/actions/0/label': 'invalid_template',
      '/content/actions/0/url': 'unknown_value',
    });
  });

  test('has content or variants, each of which is another', () => {
    const variants = [
      { id: 'a', weight: 1, content },
      { id: 'a', weight: 0, content },
      { id: 'holdout', weight: 1, content },
    ];
    expect(faultsOf({ variants })).toEqual({
      '/content': 'ambiguous',
      '/variants/1/weight': 'out_of_range',
      '/variants/2/id': 'unknown_value',
    });
    expect(faultsOf({ content: undefined })).toEqual({ '/content': 'required' });
  });
});

test('page rules are told to clients as the patterns of the document (spec E rows 51 and 52)', () => {
  expect(pagePattern([])).toBeNull();
  expect(pagePattern([{ type: 'contains', text: 'pricing' }])).toBe('^(.*pricing.*)$');
  expect(pagePattern([{ type: 'equals', text: 'a.b/*' }])).toBe('^(a\\.b/.*)$');
  const both = [
    { type: 'equals', text: 'a' },
    { type: 'equals', text: 'b' },
  ] as const;
  expect(pagePattern(both)).toBe('^(a)|(b)$');
});
