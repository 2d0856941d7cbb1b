/**
 * Texts that are as long as a body may be: whatever looks at one before its length is known costs its length, and never the
 * square of it. One call of such a text kept the gateway from everybody for minutes.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalName, composedCharsMax } from '../../schemas/identifiers.ts';
import { numberText } from '../ingest/normalise-items.ts';
import { foldedName } from '../runtime/event-names.ts';
import { decimalKey } from '../runtime/exact-json.ts';
import { noInApp } from '../testing/no-services.ts';
import { runs } from '../testing/runs.ts';
import { siteId, testServer, writeKey } from '../testing/gateway-server.ts';

/** Of this process, whatever else the machine does: what takes its length takes a few ms, what takes its square seconds. */
const cpuMsMax = 1_000;
const chars = 120_000;
const joiners = `\u00e9${'\u200d'.repeat(chars)}\u00e9`;
/** Two classes of marks, which NFC puts in order one by one. */
const marks = `a${'\u0301'.repeat(chars / 2)}${'\u0323'.repeat(chars / 2)}`;

async function cpuMsOf(work: () => unknown): Promise<number> {
  const { user } = process.cpuUsage();
  await work();
  return (process.cpuUsage().user - user) / 1_000;
}

test.each<[string, () => unknown]>([
  ['a name of joiners', () => canonicalName(joiners)],
  ['a name of marks', () => canonicalName(marks)],
  ['a name of both, in quotes', () => canonicalName(`"${joiners}${marks}"`)],
  ['a field of marks', () => foldedName(marks)],
  ['a price of white space', () => numberText(`1${' '.repeat(chars)}!`)],
  ['a number of zeros', () => decimalKey(`1${'0'.repeat(chars)}1`)],
])('%s costs its length', async (_what, work) => {
  expect(await cpuMsOf(work)).toBeLessThan(cpuMsMax);
});

const JOINERS_BY_PATTERN = /(?<=^|[\0-\x7f])[\u200c\u200d]+|[\u200c\u200d]+(?=$|[\0-\x7f])/gu;

test('joiners go where they are only unseen, as a pattern says it', () => {
  const sign = fc.constantFrom('\u200c', '\u200d', '\u200d\u200c', 'a', '1', '\u0915', '\u00e9', '\u{1f469}');
  const text = fc.array(sign, { minLength: 1, maxLength: 12 }).map((signs) => signs.join(''));
  fc.assert(
    fc.property(text, (sent) => {
      expect(canonicalName(sent)).toBe(canonicalName(sent.replace(JOINERS_BY_PATTERN, '')));
      expect(canonicalName(sent)).toBe(sent.replace(JOINERS_BY_PATTERN, '').normalize('NFC'));
    }),
    { numRuns: runs(500) },
  );
});

test('a name that is composed is the same however long what stands around it is', () => {
  const around = ' '.repeat(2 * composedCharsMax);
  expect(canonicalName(`${around}"u\u0308"${around}`)).toBe('\u00fc');
});

const long = JSON.stringify(joiners);

test.each([
  ['/v1/track', `{"writeKey":"${writeKey}","event":"x","anonymousId":${long}}`, 200],
  ['/v1/batch', `{"writeKey":"${writeKey}","batch":[{"type":"track","event":"x","userId":${long}}]}`, 200],
  ['/v1/in-app/shows', `{"site_id":"${siteId}","anonymous_id":${long}}`, 400],
])('one call of %s with such a name keeps nobody waiting', async (url, payload, status) => {
  const { server } = testServer();
  const post = async (body: string) =>
    (await server.inject({ method: 'POST', url, payload: body })).statusCode;
  await post('{}'); // what is made once is made
  let answered: number | undefined;
  const cost = await cpuMsOf(async () => {
    answered = await post(payload);
  });
  expect(answered).toBe(status);
  expect(cost).toBeLessThan(cpuMsMax);
  await server.close();
});

test('a poll whose tag is white space keeps nobody waiting', async () => {
  const view: typeof noInApp.view = {
    ...noInApp.view,
    poll: () =>
      Promise.resolve({ messages: [], pollSeconds: 10, hasNews: false, linkedId: null, unfilled: [] }),
  };
  const { server } = testServer({ onSite: { ...noInApp, view } });
  const url = `/v1/in-app/queue?site_id=${siteId}&anonymous_id=a`;
  // As long as Node takes.
  const headers = { 'if-none-match': `"a"${' '.repeat(15_000)}"b"` };
  const poll = async () => (await server.inject({ url, headers })).statusCode;
  await poll();
  const cost = await cpuMsOf(async () => {
    for (let each = 0; each < 20; each += 1) expect(await poll()).toBe(200);
  });
  expect(cost).toBeLessThan(cpuMsMax);
  await server.close();
});
