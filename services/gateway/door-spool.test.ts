/** What clients are told while the log does not answer and the disk takes no more. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../schemas/errors.ts';
import { CodedError } from '../runtime/errors.ts';
import { pipelinesAuth, testServer, trackAuth, type TestServer } from '../testing/gateway-server.ts';

const later = (code: ErrorCode) => new CodedError(code, 'could not: as the test says');
let health: { readonly ok: boolean; readonly detail?: string } = { ok: true };
let takes: () => Promise<void> = () => Promise.resolve();
let under: TestServer;
beforeEach(() => {
  under = testServer({
    intake: { take: () => takes(), untilOnLog: () => Promise.reject(later('log_behind')) },
    ingest: () => health,
  });
});
afterEach(() => under.server.close());

const event = { anonymousId: 'v', event: 'Viewed' };

test('an event that neither the log nor the disk can keep is 503 with Retry-After and its code', async () => {
  const { server } = under;
  for (const code of ['spool_full', 'spool_share_full', 'spool_failed', 'queue_full'] as const) {
    takes = () => Promise.reject(later(code));
    const headers = { authorization: pipelinesAuth };
    const answer = await server.inject({ method: 'POST', url: '/v1/track', headers, payload: event });
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toMatchObject({ meta: { code } });
  }
});

test('a deletion is not taken while events before it wait on the disk, and nothing of it is sent', async () => {
  const headers = { authorization: trackAuth };
  const answer = await under.server.inject({ method: 'DELETE', url: '/api/v1/customers/42', headers });
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
  expect(answer.json()).toMatchObject({ meta: { code: 'log_behind' } });
  expect(under.sent.order).toEqual([]);
});

test('health says that it spools, and is well until what comes can no longer be kept', async () => {
  const ask = async (url: string) => (await under.server.inject({ method: 'GET', url })).statusCode;
  health = { ok: true, detail: 'spools' };
  expect(await ask('/health/ingest')).toBe(200);
  expect((await under.server.inject('/health/ready')).json()).toMatchObject({ parts: { ingest: health } });
  health = { ok: false, detail: 'spools' };
  expect([await ask('/health/ingest'), await ask('/health/ready')]).toEqual([503, 503]);
});
