import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Definition } from '../../schemas/records.ts';
import { runs } from '../testing/runs.ts';
import { DefinitionVersions, versionsMax } from './definition-versions.ts';
import { Definitions } from './definitions.ts';

function tell(versions: DefinitionVersions, records: readonly Partial<Definition>[]): void {
  const fold = new Definitions();
  for (const record of records) {
    const { kind, workspace, id, ...rest } = {
      kind: 'segment',
      workspace: 'shop',
      id: 's',
      ...record,
    } as const;
    const version = fold.versionOf(kind, workspace, id) + 1;
    const body = rest.deleted === true ? null : (rest.body ?? '{}');
    const whole = { kind, workspace, id, version, at: version, deleted: body === null, body };
    fold.apply(fold.offset, whole);
    versions.apply(whole, fold.get(kind, workspace, id));
  }
}

const numbers = (versions: DefinitionVersions, id = 's') =>
  versions.of('segment', 'shop', id).map(({ version }) => version);

describe('the versions of a definition', () => {
  test('are newest first, a removal is one, and those of others are others', () => {
    const versions = new DefinitionVersions();
    tell(versions, [{ body: '{"a":1}' }, { deleted: true }, { body: '{"a":2}' }, { id: 't' }]);
    expect(versions.of('segment', 'shop', 's')).toMatchObject([
      { version: 3, stored: { body: { a: 2 } } },
      { version: 2, stored: undefined },
      { version: 1, stored: { body: { a: 1 } } },
    ]);
    expect(versions.of('segment', 'other', 's')).toEqual([]);
    expect(versions.of('journey', 'shop', 's')).toEqual([]);
  });

  test('are a hundred at most, the oldest forgotten first', () => {
    const versions = new DefinitionVersions();
    tell(
      versions,
      Array.from({ length: versionsMax + 5 }, () => ({})),
    );
    expect([numbers(versions).length, numbers(versions)[0], numbers(versions).at(-1)]).toEqual([
      versionsMax,
      versionsMax + 5,
      6,
    ]);
  });

  test('take a bounded room in a workspace, and what is in force is always there', () => {
    const told = fc.array(fc.record({ id: fc.constantFrom('s', 't', 'u'), chars: fc.nat(60) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(told, (records) => {
        const charsMax = 200;
        const versions = new DefinitionVersions(charsMax);
        tell(
          versions,
          records.map(({ id, chars }) => ({ id, body: JSON.stringify('x'.repeat(chars)) })),
        );
        let former = 0;
        for (const id of ['s', 't', 'u']) {
          const count = records.filter((record) => record.id === id).length;
          const kept = versions.of('segment', 'shop', id);
          // What is kept is the newest, without a hole.
          expect(kept.map(({ version }) => version)).toEqual(kept.map((_, index) => count - index));
          expect(kept.length > 0).toBe(count > 0);
          former += kept.slice(1).reduce((sum, { stored }) => sum + JSON.stringify(stored?.body).length, 0);
        }
        expect(former).toBeLessThanOrEqual(charsMax);
      }),
      { numRuns: runs(50) },
    );
  });
});
