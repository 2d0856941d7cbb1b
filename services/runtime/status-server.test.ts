import { describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
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
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ pid: process.pid, url: server.url });
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
