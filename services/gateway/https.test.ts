import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TrackClient } from 'customerio-node-4';
import { eventually } from '../testing/eventually.ts';
import { apiKey, siteId, testServer, type LoggedLine, type TestServer } from '../testing/gateway-server.ts';
import { readGatewayConfig } from './config.ts';
import { openHttps, type HttpsDoor } from './https.ts';

const fixtures = new URL('../testing/fixtures/tls/', import.meta.url);
let under: TestServer;
let door: HttpsDoor;
let folder: string;
let logged: LoggedLine[];

const files = () => ({ cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') });
const put = (name: 'first' | 'second', what: 'crt' | 'key') => {
  // Put into place whole, as whoever renews certificates does it.
  const draft = join(folder, 'draft');
  copyFileSync(new URL(`${name}.${what}`, fixtures), draft);
  renameSync(draft, join(folder, `tls.${what}`));
};
const log = (level: LoggedLine['level']) => (fields: LoggedLine['fields'], message: string) => {
  logged.push({ level, fields, message });
};
const open = () =>
  openHttps({
    ...files(),
    app: under.server,
    host: '127.0.0.1',
    port: 0,
    logger: { error: log('error'), warn: log('warn'), info: log('info') },
    doors: under.doors,
    lookAgainMs: 20,
  });

beforeEach(async () => {
  logged = [];
  folder = mkdtempSync(join(tmpdir(), 'hindsight-tls-'));
  put('first', 'crt');
  put('first', 'key');
  under = testServer();
  await under.server.ready();
  door = await open();
});
afterEach(async () => {
  door.closeAllConnections();
  await door.close();
  await under.server.close();
  rmSync(folder, { recursive: true });
});

/** Whom a new connection meets. */
function subject(): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host: '127.0.0.1', port: door.port, rejectUnauthorized: false }, () => {
      done(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', fail);
  });
}

describe('https', () => {
  test('customerio-node 4.4.0, which speaks nothing else', async () => {
    const defaults = { url: 'https://localhost/api/v1', port: door.port, rejectUnauthorized: false };
    const client = new TrackClient(siteId, apiKey, defaults);
    await client.trackAnonymous('anon-1', { name: 'Product Viewed', data: { sku: 'X' } });
    await client.identify('42', { email: 'a@b.c', anonymous_id: 'anon-1' });
    await client.addDevice('42', 'tok', 'ios');
    expect(under.sent.events.map(({ value }) => value)).toMatchObject([
      { type: 'event', anonymous_id: 'anon-1', name: 'Product Viewed' },
      { type: 'identify', identifier: '42', anonymous_id: 'anon-1', email: 'a@b.c' },
      { type: 'event', identifier: '42', name: 'Device Created or Updated' },
    ]);
    await expect(new TrackClient(siteId, 'wrong', defaults).identify('42')).rejects.toMatchObject({
      statusCode: 401,
    });
  });

  test('the settings document sends a page of https to https', async () => {
    const answer = await new Promise<string>((done, fail) => {
      const asked = { host: '127.0.0.1', port: door.port, path: '/v1/projects/wk_1/settings' };
      const sending = request({ ...asked, rejectUnauthorized: false }, (response) => {
        response.setEncoding('utf8').on('data', done);
      });
      sending.on('error', fail).end();
    });
    expect(JSON.parse(answer)).toMatchObject({
      integrations: {
        'Customer.io Data Pipelines': {
          protocol: 'https',
          apiHost: `127.0.0.1:${String(door.port)}/v1`,
        },
      },
    });
  });

  test('a new certificate is in force without a restart; half of a pair is not, and is told once', async () => {
    expect(await subject()).toBe('first');
    put('second', 'crt');
    await eventually(() => logged.some(({ level }) => level === 'error'));
    expect(await subject()).toBe('first');
    put('second', 'key');
    await eventually(async () => (await subject()) === 'second');
    writeFileSync(files().cert, 'no certificate');
    await eventually(() => logged.filter(({ level }) => level === 'error').length === 2);
    expect(await subject()).toBe('second');
    expect(logged.map(({ level }) => level)).toEqual(['error', 'info', 'error']);
  });

  test('what is no certificate, or is not there, is refused at start with what to do', async () => {
    put('second', 'crt');
    await expect(open()).rejects.toMatchObject({ code: 'tls_unreadable' });
    rmSync(files().cert);
    await expect(open()).rejects.toMatchObject({ code: 'tls_unreadable' });
    put('first', 'crt');
  });

  test('a certificate without its key is a fault of the settings', () => {
    const parts = { KAFKA_BROKERS: '127.0.0.1:9092', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:8081' };
    expect(() => readGatewayConfig({ ...parts, HINDSIGHT_TLS_CERT: 'a.crt' })).toThrow(
      /HINDSIGHT_TLS_KEY: must be set, since HINDSIGHT_TLS_CERT is/,
    );
    const both = { HINDSIGHT_TLS_CERT: 'a.crt', HINDSIGHT_TLS_KEY: 'a.key' };
    expect(readGatewayConfig({ ...parts, ...both })).toMatchObject({ tlsCert: 'a.crt', httpsPort: 8_443 });
  });
});
