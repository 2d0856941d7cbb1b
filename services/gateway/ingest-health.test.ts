/** `/health/ingest` goes by whether calls are taken. */
import { expect, test } from '@jest/globals';
import { ingestHealth } from './ingest-health.ts';

const state = { spooled_bytes: 5 };
const full = { ok: false, detail: 'the disk has 1 bytes left' };

test.each([
  [{ ok: true }, { ok: true }, { ok: true }],
  [{ ok: true, detail: 'spools' }, { ok: true }, { ok: true, detail: 'spools' }],
  [{ ok: true }, { ok: true, detail: 'filling up' }, { ok: true }],
  [{ ok: true }, full, full],
  [{ ok: false, detail: 'no room' }, full, full],
  [{ ok: false, detail: 'no room' }, { ok: true }, { ok: false, detail: 'no room' }],
])('intake %j, disk %j: %j', (health, disk, expected) => {
  expect(ingestHealth({ health, state }, disk)).toEqual({ ...state, ...expected });
});
