/** Whatever a name or a time is spelled like, and by whichever route it comes: one person, one time, or a row. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalCioId, canonicalEmail, canonicalName } from '../../schemas/identifiers.ts';
import { canonicalNumber } from '../../schemas/json-numbers.ts';
import { isPlaceholder } from '../../schemas/placeholders.ts';
import { call as context, correctionsOf, eventOf, receivedAt, sent } from '../testing/ingest-calls.ts';
import type { Translation } from './translation.ts';
import { translatePipelines } from './translate-pipelines.ts';
import {
  translateAnonymousEvent,
  translateIdentify,
  translateOperation,
  translatePersonEvent,
} from './translate-track.ts';
import { runs } from '../testing/runs.ts';

const call = { ...context, context: null };
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const often = { seed, numRuns: runs(100) };

const pipelines = (type: string, body: object | string): Translation =>
  translatePipelines(call, type, sent(body));
const operation = (identifiers: object): Translation =>
  translateOperation(context, sent({ type: 'person', action: 'event', name: 'x', identifiers }));

/** Every route that names a person by a text, and one that names a visitor. */
const personRoutes: readonly ((name: string) => Translation)[] = [
  (userId) => pipelines('identify', { userId }),
  (userId) => pipelines('track', { userId, event: 'x' }),
  (userId) => pipelines('page', { userId, name: 'x' }),
  (userId) => pipelines('screen', { userId, name: 'x' }),
  (userId) => pipelines('group', { userId, groupId: 'g' }),
  (userId) => pipelines('alias', { userId, previousId: 'p' }),
  (path) => translateIdentify(context, path, sent({})),
  (path) => translatePersonEvent(context, path, sent({ name: 'x' })),
];
const visitorRoutes: readonly ((name: string) => Translation)[] = [
  (anonymousId) => pipelines('identify', { anonymousId, userId: 'u' }),
  (anonymousId) => pipelines('track', { anonymousId, userId: 'u', event: 'x' }),
  (previousId) => pipelines('alias', { userId: 'u', previousId }),
  (anonymous_id) => translateIdentify(context, 'u', sent({ anonymous_id })),
  (anonymous_id) => translateAnonymousEvent(context, sent({ name: 'x', anonymous_id })),
  (anonymous_id) => translatePersonEvent(context, 'u', sent({ name: 'x', anonymous_id })),
  (anonymous_id) => operation({ id: 'u', anonymous_id }),
];

const unseen = fc.constantFrom('\u200b', '\u200d', '\ufeff', '\u00ad', '\u2060', '\u200e');
const space = fc.constantFrom(' ', '\t', '\n', '\u00a0', '\u2003', '\u3000', '\u200b', '\ufeff', '');
const quotes = fc.constantFrom(['"', '"'], ["'", "'"], ['“', '”'], ['%22', '%22'], ['\\"', '\\"'], ['', '']);
const word = fc
  .stringMatching(/^[a-zäéß世][a-z0-9äéß世._-]{2,12}[a-z0-9]$/u)
  .filter((each) => !isPlaceholder(each));
const email = fc.tuple(word, fc.constantFrom('mail.example', 'ÄÖ.example')).map((parts) => parts.join('@'));

/** The name as clients may send it. */
const spelled = (name: string): fc.Arbitrary<string> =>
  fc
    .record({
      within: unseen,
      at: fc.nat(name.length),
      around: fc.array(fc.tuple(space, quotes, space), { maxLength: 3 }),
      form: fc.constantFrom('NFC', 'NFD'),
    })
    .map(({ within, at, around, form }) => {
      const inner =
        `${name.slice(0, at)}${/^[\0-\x7f]*$/.test(name) ? within : ''}${name.slice(at)}`.normalize(form);
      return around.reduce(
        (text, [left, [open, close], right]) => `${open}${left}${text}${right}${close}`,
        inner,
      );
    });
const withSpelling = (names: fc.Arbitrary<string>) =>
  names.chain((name) => fc.record({ name: fc.constant(name), text: spelled(name) }));

describe(`spellings (SEED=${String(seed)})`, () => {
  test('the form of any text is its own form', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.oneof(space, unseen, fc.constantFrom('"', "'", 'a', 'İ', 'ſ', '%22')) }),
        ),
        (text) => {
          for (const form of [canonicalName, canonicalEmail, canonicalCioId]) {
            const once = form(text);
            expect(form(once)).toBe(once);
          }
        },
      ),
      { seed, numRuns: runs(1_000) },
    );
  });

  test('an id is one person or visitor by every route, and what was changed has its row', () => {
    fc.assert(
      fc.property(withSpelling(word), ({ name, text }) => {
        for (const route of [...personRoutes, (id: string) => operation({ id })]) {
          const translation = route(text);
          expect(eventOf(translation).identifier).toBe(name.normalize('NFC'));
          expect(correctionsOf(translation).length > 0).toBe(text !== name);
        }
        for (const route of visitorRoutes)
          expect(eventOf(route(text)).anonymous_id).toBe(name.normalize('NFC'));
      }),
      often,
    );
  });

  test('an email is one person by every route, in any case', () => {
    fc.assert(
      fc.property(withSpelling(email), fc.boolean(), ({ name, text }, upper) => {
        const given = upper && !/%22|ß/.test(text) ? text.toUpperCase() : text;
        const routes = [
          ...personRoutes,
          (each: string) => operation({ email: each }),
          (each: string) => pipelines('identify', { traits: { email: each } }),
        ];
        for (const route of routes) {
          expect(eventOf(route(given))).toMatchObject({
            identifier_kind: 'email',
            identifier: canonicalEmail(name),
          });
        }
      }),
      often,
    );
  });

  test('a number is one name however it is written, and no other number’s', () => {
    const digits = fc.bigInt({ min: 1n, max: 10n ** 30n });
    fc.assert(
      fc.property(digits, digits, fc.nat(6), (number, other, zeros) => {
        const text = String(number);
        const spellings = [
          text,
          `${text}.${'0'.repeat(zeros + 1)}`,
          `${text}e0`,
          `${text}${'0'.repeat(zeros)}E-${String(zeros)}`,
        ];
        for (const spelling of spellings) {
          expect(eventOf(pipelines('track', `{"userId":${spelling},"event":"x"}`)).identifier).toBe(text);
          expect(eventOf(pipelines('track', `{"anonymousId":${spelling},"event":"x"}`)).anonymous_id).toBe(
            text,
          );
        }
        expect(canonicalNumber(String(other)) === text).toBe(other === number);
      }),
      often,
    );
  });

  test('a placeholder beside a good name costs nothing but itself', () => {
    const placeholder = fc
      .constantFrom(
        'null',
        'undefined',
        'anonymousId',
        'user_id',
        'unknown',
        '-1',
        '0',
        '[object Object]',
        '{{ user.id }}',
        '${id}',
        '%user_id%',
      )
      .chain((each) => spelled(each).map((text) => [each.toUpperCase(), text] as const))
      .map(([upper, text]) => (text.length % 2 === 0 ? text : upper));
    fc.assert(
      fc.property(placeholder, word, (nobody, good) => {
        const asUser = pipelines('track', { userId: nobody, anonymousId: good, event: 'x' });
        expect(eventOf(asUser)).toMatchObject({ identifier: null, anonymous_id: good.normalize('NFC') });
        expect(correctionsOf(asUser)).toContain('userId: placeholder');
        for (const route of visitorRoutes.filter((_, index) => index !== 2)) {
          const translation = route(nobody);
          expect(eventOf(translation).anonymous_id).toBeNull();
          expect(correctionsOf(translation).join(' ')).toContain('placeholder');
        }
      }),
      often,
    );
  });

  test('a time is one time in every form that says it', () => {
    const second = fc.integer({ min: 946_684_800, max: Math.floor(receivedAt / 1_000) });
    fc.assert(
      fc.property(second, fc.integer({ min: -14, max: 14 }), (at, hours) => {
        const there = new Date((at + hours * 3_600) * 1_000).toISOString().slice(0, 19);
        const zone = `${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}`;
        const utc = new Date(at * 1_000);
        const spellings = [
          at,
          at * 1_000,
          at * 1_000_000,
          String(at),
          String(at * 1_000),
          utc.toISOString(),
          utc.toUTCString(),
          `${there}${zone}:00`,
          `${there}${zone}00`,
          `${there}${zone}`,
          `${there.replace('T', ' ')} ${zone}00`,
          `${there.replace('T', '  ')} ${zone}:00`,
          utc.toISOString().replace(/[-:]|\.\d+/g, ''),
        ];
        for (const timestamp of spellings) {
          const translation = pipelines('track', { anonymousId: 'v', event: 'x', timestamp });
          expect([timestamp, eventOf(translation).timestamp]).toEqual([timestamp, at * 1_000]);
          expect(correctionsOf(translation)).toEqual([]);
        }
      }),
      often,
    );
  });

  test('whatever stands where a time should: a time within bounds, and a row where it was not read', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (timestamp) => {
        const translation = pipelines('track', { anonymousId: 'v', event: 'x', timestamp });
        const { timestamp: kept } = eventOf(translation);
        const isNothing = timestamp === null || (typeof timestamp === 'string' && timestamp.trim() === '');
        if (kept === receivedAt && !isNothing) expect(correctionsOf(translation)).toHaveLength(1);
        expect(Number.isInteger(kept)).toBe(true);
      }),
      often,
    );
  });
});
