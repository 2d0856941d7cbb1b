import { describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStatusServer } from './status-server.ts';

describe('a service', () => {
  test('says whether it lives, whether it is ready, and what it has handled', async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'status-'));
    let ok = false;
    const server = await startStatusServer({
      name: 'merger',
      dataFolder,
      ready: () => ({ tasks: { ok, detail: 'recovering' } }),
      status: () => ({ service: 'merger', unsettled: 3 }),
    });
    try {
      const file = join(dataFolder, 'run', 'merger.json');
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
        pid: process.pid,
        url: server.url,
        secret: expect.stringMatching(/^[\w-]{32,}$/),
      });
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
      const unready = await fetch(`${server.url}/health/ready`);
      expect(unready.status).toBe(503);
      expect(await unready.json()).toEqual({
        ready: false,
        parts: { tasks: { ok: false, detail: 'recovering' } },
      });
      ok = true;
      expect((await fetch(`${server.url}/health/ready`)).status).toBe(200);
      expect(await (await fetch(`${server.url}/status`)).json()).toEqual({ service: 'merger', unsettled: 3 });
      expect((await fetch(`${server.url}/other`)).status).toBe(404);
      await server.close();
      expect(existsSync(file)).toBe(false);
    } finally {
      await server.close().catch(() => undefined);
    }
  });
});

describe('security 7: a status server', () => {
  const call = (url: string, method: string, headers: OutgoingHttpHeaders): Promise<number> =>
    new Promise((done, fail) => {
      request(url, { method, headers }, (response) => {
        response.resume();
        done(response.statusCode ?? 0);
      })
        .once('error', fail)
        .end();
    });

  test('acts for those who can read its file, and answers no web page', async () => {
    const dataFolder = mkdtempSync(join(tmpdir(), 'status-'));
    let made = 0;
    const server = await startStatusServer({
      name: 'merger',
      dataFolder,
      ready: () => ({}),
      status: () => ({}),
      actions: { snapshot: () => Promise.resolve({ made: ++made }) },
    });
    const { secret } = JSON.parse(readFileSync(join(dataFolder, 'run', 'merger.json'), 'utf8')) as {
      secret: string;
    };
    const authorization = `Bearer ${secret}`;
    const snapshot = (headers: OutgoingHttpHeaders) => call(`${server.url}/snapshot`, 'POST', headers);
    try {
      for (const wrong of [
        {},
        { authorization: 'Bearer x' },
        { authorization: secret },
        { authorization: '' },
      ]) {
        expect(await snapshot(wrong)).toBe(401);
      }
      // A page that somebody on this machine visits: from its own origin, or under a name that was bent to loopback.
      for (const origin of ['https://evil.example', 'null', server.url]) {
        expect(await snapshot({ authorization, origin })).toBe(403);
        expect(await call(`${server.url}/status`, 'GET', { origin })).toBe(403);
      }
      for (const host of [
        'evil.example',
        'evil.example:80',
        '127.0.0.1.evil.example',
        'localhost@evil.example',
      ]) {
        expect(await snapshot({ authorization, host })).toBe(403);
        expect(await call(`${server.url}/status`, 'GET', { host })).toBe(403);
      }
      expect(made).toBe(0);
      for (const host of ['127.0.0.1', 'localhost:9', '[::1]:9']) {
        expect(await call(`${server.url}/status`, 'GET', { host })).toBe(200);
      }
      expect(await snapshot({ authorization })).toBe(200);
      expect(await call(`${server.url}/other`, 'POST', { authorization })).toBe(404);
      expect(made).toBe(1);
      expect(new URL(server.url).hostname).toBe('127.0.0.1');
    } finally {
      await server.close();
    }
  });
});
