/** Unmodified clients against the server in this process, over a real socket: what they send arrives as they meant it. */
import { Analytics } from '@customerio/cdp-analytics-node';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { CustomerIORequestError, IdentifierType, PipelinesClient, TrackClient } from 'customerio-node';
import { CodedError } from '../runtime/errors.ts';
import { apiKey, siteId, testServer, writeKey, type TestServer } from '../testing/gateway-server.ts';

let under: TestServer;
let base: string;

beforeEach(async () => {
  under = testServer();
  base = await under.server.listen({ host: '127.0.0.1', port: 0 });
});
afterEach(() => under.server.close());

const tooLong = 'x'.repeat(101);
const events = () => under.sent.events.map(({ value }) => value);
const requests = () => under.sent.requests.map(({ value }) => value);

describe('customerio-node 5.2.0', () => {
  const track = (key = apiKey) => new TrackClient(siteId, key, { url: `${base}/api/v1` });

  test('identify with an id that needs encoding, events, invites and pages', async () => {
    const client = track();
    await client.identify('u/1 a@b', { email: 'a@b.com', anonymous_id: 'anon-1', created_at: 1_700_000_000 });
    await client.track('42', { name: 'Added to Cart', data: { sku: 'X' }, timestamp: 1_700_000_001 });
    await client.trackAnonymous('anon-1', { name: 'Product Viewed', data: { sku: 'X' } });
    await client.trackPageView('42', 'https://shop.example/p');
    expect(events()).toMatchObject([
      { type: 'identify', identifier: 'u/1 a@b', email: 'a@b.com', anonymous_id: 'anon-1' },
      { type: 'event', identifier: '42', name: 'Added to Cart', timestamp: 1_700_000_001_000 },
      { type: 'event', identifier: null, anonymous_id: 'anon-1', name: 'Product Viewed' },
      { type: 'page', identifier: '42', name: 'https://shop.example/p' },
    ]);
    expect(under.sent.events.map(({ key }) => key)).toEqual([
      'shop:a:anon-1',
      'shop:i:42',
      'shop:a:anon-1',
      'shop:i:42',
    ]);
  });

  test('merge, suppress, unsuppress and destroy', async () => {
    const client = track();
    under.ends.eventsCollected = [3, 4];
    await client.mergeCustomers(IdentifierType.Id, '1', IdentifierType.Email, 'b@c.d');
    await client.suppress('42');
    await client.unsuppress('42');
    await client.destroy('42');
    expect(requests().map(({ kind }) => kind)).toEqual(['merge', 'suppress', 'unsuppress', 'delete']);
    expect(requests()[0]).toMatchObject({ identifier: '1', other: 'b@c.d', positions: [1, 2] });
    expect(under.sent.requests[0]?.key).toBe('shop');
  });

  test('an error is shown to its caller in the words of the API', async () => {
    await expect(track().track('42', { name: tooLong })).rejects.toThrow(
      /event name cannot be longer than 100 bytes/,
    );
    await expect(track('wrong').identify('42', {})).rejects.toMatchObject({ statusCode: 401 });
  });

  test('a call that is put off is sent again after Retry-After, and taken', async () => {
    under.sent.fault = new CodedError('log_overloaded', 'could not take more');
    const sending = track().track('42', { name: 'x' });
    setTimeout(() => {
      under.sent.fault = undefined;
    }, 300);
    await sending;
    expect(events()).toMatchObject([{ name: 'x' }]);
  });

  test('Pipelines in strict mode: calls are taken, what breaks a rule is an error', async () => {
    const client = new PipelinesClient(writeKey, { url: `${base}/v1`, strictMode: true });
    await client.identify({ userId: '42', anonymousId: 'anon-1', traits: { email: 'a@b.c' } });
    await client.track({
      anonymousId: 'anon-1',
      event: 'Added to Cart',
      properties: { items: [{ sku: 'x' }] },
    });
    await client.page({ anonymousId: 'anon-1', name: 'home' });
    expect(events()).toMatchObject([
      { type: 'identify', identifier: '42', email: 'a@b.c', anonymous_id: 'anon-1' },
      { type: 'event', anonymous_id: 'anon-1', name: 'Added to Cart' },
      { type: 'page', name: 'home' },
    ]);
    const blank = client.track({ anonymousId: 'a', event: tooLong });
    await expect(blank).rejects.toBeInstanceOf(CustomerIORequestError);
    await expect(blank).rejects.toMatchObject({ statusCode: 400 });
  });
});

describe('@customerio/cdp-analytics-node 0.5.9', () => {
  test('a batch of every kind', async () => {
    const analytics = new Analytics({ writeKey, host: base });
    analytics.track({
      anonymousId: 'anon-1',
      event: 'Added to Cart',
      properties: { sku: 'X' },
      messageId: 'm1',
    });
    analytics.page({ anonymousId: 'anon-1', name: 'home', properties: { url: 'https://x/y' } });
    analytics.identify({ userId: '42', anonymousId: 'anon-1', traits: { email: 'a@b.c' } });
    analytics.group({ userId: '42', groupId: 'acme' });
    analytics.alias({ userId: '42', previousId: 'anon-2' });
    await analytics.closeAndFlush({ timeout: 60_000 });
    expect(events()).toMatchObject([
      { type: 'event', name: 'Added to Cart', properties: '{"sku":"X"}', source: 'pipelines.batch' },
      { type: 'page', name: 'https://x/y' },
      { type: 'identify', identifier: '42', anonymous_id: 'anon-1', email: 'a@b.c' },
      { type: 'relate', identifier: '42' },
      { type: 'identify', identifier: '42', anonymous_id: 'anon-2' },
    ]);
    expect(new Set(events().map(({ message_id }) => message_id)).size).toBe(5);
    expect(under.sent.dropped).toEqual([]);
    expect(requests()).toMatchObject([{ kind: 'merge', identifier: '42', other: 'anon-2' }]);
  });

  test('it tries again when it is told to, under the same message id', async () => {
    under.sent.fault = new CodedError('log_unavailable', 'could not reach the log');
    const analytics = new Analytics({ writeKey, host: base, maxRetries: 3 });
    analytics.track({ anonymousId: 'a', event: 'x', messageId: 'm1' });
    setTimeout(() => {
      under.sent.fault = undefined;
    }, 60);
    await analytics.closeAndFlush({ timeout: 60_000 });
    expect(events().at(-1)).toMatchObject({ name: 'x' });
  });
});
