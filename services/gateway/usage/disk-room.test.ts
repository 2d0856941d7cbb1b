import { expect, test } from '@jest/globals';
import { tmpdir } from 'node:os';
import { DiskRoom } from './disk-room.ts';

const said: string[] = [];
const log = { say: (level: string, code: string) => said.push(`${level} ${code}`) };
const room = (free: () => Promise<number>) =>
  new DiskRoom({ folder: 'x', freeBytesMin: 100, log, freeBytes: free });

test('readiness says that the disk fills up before anything is refused, and then that it is refused', async () => {
  let free = 200;
  const disk = room(() => Promise.resolve(free));
  const seen = async (bytes: number) => {
    free = bytes;
    said.length = 0;
    await disk.look();
    let code: unknown;
    try {
      disk.check();
    } catch (error) {
      ({ code } = error as { code: unknown });
    }
    return { ok: disk.health.ok, tells: disk.health.detail !== undefined, code, said: [...said] };
  };
  expect(await seen(200)).toEqual({ ok: true, tells: false, code: undefined, said: [] });
  expect(await seen(199)).toEqual({ ok: true, tells: true, code: undefined, said: ['warn disk_filling'] });
  expect(await seen(100)).toEqual({ ok: true, tells: true, code: undefined, said: ['warn disk_filling'] });
  expect(await seen(99)).toEqual({ ok: false, tells: true, code: 'disk_low', said: ['error disk_low'] });
  expect(await seen(300)).toEqual({ ok: true, tells: false, code: undefined, said: [] });
});

test('a disk that cannot be asked is what it was', async () => {
  const answers = [Promise.resolve(50), Promise.reject(new Error('gone'))];
  const disk = room(() => answers.shift() ?? Promise.resolve(1_000));
  await disk.look();
  await disk.look();
  expect(disk.health.ok).toBe(false);
  await disk.look();
  expect(disk.health.ok).toBe(true);
});

test('the disk of a real folder is told, and one that is not looked at is good', async () => {
  const real = await new DiskRoom({ folder: tmpdir(), freeBytesMin: 2 ** 49, log }).open();
  expect(real.health.detail).toMatch(/^the disk has [1-9]\d+ bytes left/);
  await real.close();
  const off = await new DiskRoom({ folder: '/nowhere', freeBytesMin: 0, log }).open();
  expect(off.health).toEqual({ ok: true });
  await off.close();
});
