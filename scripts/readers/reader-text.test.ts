/** Readers are made of what the schema says, and a spec that the schema does not bear is refused. */
import { describe, expect, test } from '@jest/globals';
import type { ReaderSpec } from './reader-specs.ts';
import { readerText } from './reader-text.ts';

const schema = (fields: readonly unknown[]): string =>
  JSON.stringify({ type: 'record', name: 'Visit', fields });
const at = { name: 'visited_at', type: { type: 'long', logicalType: 'timestamp-millis' } };
const kind = { name: 'kind', type: { type: 'enum', name: 'VisitKind', symbols: ['page', 'screen'] } };
const path = { name: 'path', type: ['null', 'string'] };
const person = { name: 'person', type: { type: 'record', name: 'Person', fields: [path] } };

function spec(uses: ReaderSpec['uses'], later: ReaderSpec['later'] = {}): ReaderSpec {
  return {
    file: 'schemas/in-place/visit.ts',
    className: 'Visit',
    record: 'CollectedEvent',
    about: 'A visit.',
    called: 'visits',
    refusal: 'false',
    uses,
    without: {},
    later,
  };
}
/** Statements that read, in order. */
function statements(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => /^(this\.(?!begin|at = |mustBe|#later)|const \w+ = this)/.test(line));
}

describe('a reader', () => {
  test('goes over what is not asked for, and stops behind the last that is', () => {
    const text = readerText(spec({ kind: 'index' }), schema([at, kind, path]));
    expect(statements(text)).toEqual(['this.skipLong(); // visited_at', 'this.kind = this.readLong();']);
    expect(text).toContain('this.kind < 2');
  });

  test('reads a field that has moved where it lies now', () => {
    const text = readerText(spec({ visited_at: 'value' }), schema([path, kind, at]));
    expect(statements(text)).toEqual([
      'this.skipOptionalText(); // path',
      'this.skipLong(); // kind',
      'this.visitedAt = this.readLong();',
    ]);
  });

  test('begins behind what it has read with what is asked for later', () => {
    const text = readerText(spec({ visited_at: 'value' }, { rest: ['path'] }), schema([at, kind, path]));
    expect(statements(text)).toEqual([
      'this.visitedAt = this.readLong();',
      'this.skipLong(); // kind',
      'const path = this.readOptionalText();',
    ]);
  });
});

describe('a spec is refused', () => {
  const made = (uses: ReaderSpec['uses'], fields: readonly unknown[], later?: ReaderSpec['later']) => () =>
    readerText(spec(uses, later), schema(fields));

  test('that names a field which is not there, asks of one what it is not, or reads backwards', () => {
    expect(made({ visited_on: 'value' }, [at])).toThrow('no field visited_on');
    expect(made({ visited_at: 'span' }, [at])).toThrow("visited_at is not what 'span' reads");
    expect(made({ kind: 'value' }, [kind])).toThrow('kind has no plain value');
    expect(made({ kind: 'index' }, [at, kind], { rest: ['visited_at'] })).toThrow('before its place');
    expect(made({ path: 'span' }, [{ name: 'path', type: ['string', 'null'] }])).toThrow('not built');
    expect(made({ 'person.path': 'span' }, [person])).toThrow('not a last record that may be null');
  });
});
