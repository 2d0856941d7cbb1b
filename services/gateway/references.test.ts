/** What a definition refers to has to be there when it is stored, whatever is stored beside it at that moment. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { toWorkspace } from '../../schemas/ids.ts';
import { appAuth, testServer, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
beforeEach(() => {
  under = testServer({});
});
afterEach(() => under.server.close());

async function put(path: string, payload: object): Promise<string[]> {
  const url = `/v1/definitions/${path}`;
  const answer = await under.server.inject({
    method: 'PUT',
    url,
    payload,
    headers: { authorization: appAuth },
  });
  const { errors = [] } = answer.json<{ errors?: { pointer: string; code: string }[] }>();
  return [String(answer.statusCode), ...errors.map(({ pointer, code }) => `${pointer} ${code}`)];
}
const segment = (when: object) => ({ name: 'x', type: 'data_driven', when });
const journey = (rest: object) => ({ name: 'x', state: 'running', trigger: { event: 'A' }, ...rest });

describe('a reference to a segment', () => {
  test('that does not exist is refused with its pointer, in segments and in journeys', async () => {
    expect(await put('segments/a', segment({ not: { segment: 'vip' } }))).toEqual([
      '400',
      '/when/not/segment unknown_segment',
    ]);
    const bad = journey({ trigger: { segment: 'vip', on: 'enter' }, filters: { segment: 'a' } });
    expect(await put('journeys/j', bad)).toEqual([
      '400',
      '/trigger/segment unknown_segment',
      '/filters/segment unknown_segment',
    ]);
    expect(await put('segments/vip', { name: 'x', type: 'manual' })).toEqual(['200']);
    expect(await put('segments/a', segment({ not: { segment: 'vip' } }))).toEqual(['200']);
    expect(await put('journeys/j', bad)).toEqual(['200']);
  });

  test('cannot lead back, also when both are written at once', async () => {
    expect(await put('segments/a', segment({ segment: 'a' }))).toEqual(['400', '/when/segment circular']);
    await put('segments/a', segment({ event: 'A' }));
    await put('segments/b', segment({ event: 'B' }));
    const both = await Promise.all([
      put('segments/a', segment({ segment: 'b' })),
      put('segments/b', segment({ segment: 'a' })),
    ]);
    expect(both.flat().sort()).toEqual(['/when/segment circular', '200', '400']);
  });

  test('of another workspace is none', async () => {
    await under.definitions.put('segment', toWorkspace('other'), 'vip', {
      body: { name: 'x', type: 'manual' },
    });
    expect(await put('segments/a', segment({ segment: 'vip' }))).toEqual([
      '400',
      '/when/segment unknown_segment',
    ]);
  });
});

test('case 23: a number in a rule is kept to the last digit', async () => {
  const text =
    '{"name":"x","type":"data_driven","when":{"attribute":"account","operator":"eq","value":9007199254740993}}';
  const headers = { authorization: appAuth, 'content-type': 'application/json' };
  const url = '/v1/definitions/segments/a';
  const stored = await under.server.inject({ method: 'PUT', url, payload: text, headers });
  expect(stored.statusCode).toBe(200);
  const shown = await under.server.inject({ method: 'GET', url, headers });
  expect(shown.body).toContain(text);
});
