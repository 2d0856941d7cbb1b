/** Kinds of refusals are bounded, and whoever makes very many loses their own and nobody else's. */
import { expect, test } from '@jest/globals';
import { toWorkspace } from '../../../schemas/ids.ts';
import type { Sighting } from '../../runtime/sighting.ts';
import { RefusalCounts, refusalKindsMax, workspaceRefusalKindsMax } from './refusal-counts.ts';

const [loud, quiet] = [toWorkspace('loud'), toWorkspace('quiet')];
const limited: Sighting = {
  at: 0,
  workspace: loud,
  key: 'key_1',
  route: 'POST /v1/track',
  status: 429,
  answered: 'limited',
  reason: 'rate_limited',
  message: null,
  type: null,
  name: null,
  messageId: null,
  anonymousId: null,
  identifier: null,
};

test('a workspace that makes keys and has each refused leaves others theirs', () => {
  const counts = new RefusalCounts();
  for (let at = 0; at < 2 * refusalKindsMax; at += 1) counts.count({ ...limited, key: `key_${String(at)}` });
  expect(counts.list(loud)).toHaveLength(workspaceRefusalKindsMax + 1);
  const more = 2 * refusalKindsMax - workspaceRefusalKindsMax;
  expect(counts.list(loud).find(({ reason }) => reason === 'other')).toMatchObject({
    key: null,
    count: more,
  });
  counts.count({ ...limited, workspace: quiet });
  expect(counts.list(quiet)).toMatchObject([{ key: 'key_1', reason: 'rate_limited', count: 1 }]);
  expect(counts.limited).toContainEqual({ workspace: quiet, key: 'key_1', reason: 'rate_limited', count: 1 });
});

test('of very many workspaces together there are so many, and those over it are counted as one', () => {
  const counts = new RefusalCounts();
  for (let at = 0; at < refusalKindsMax + 50; at += 1) {
    counts.count({ ...limited, workspace: toWorkspace(`w${String(at % 100)}`), reason: `r${String(at)}` });
  }
  expect(counts.byReason['other']).toBe(50);
});
