import { describe, expect, test } from '@jest/globals';
import { foldersThatImportEachOther, importsOf } from './mutual-imports.ts';

const read = (files: Record<string, string>) =>
  foldersThatImportEachOther(Object.entries(files).flatMap(([file, text]) => importsOf(file, text)));

describe('folders that import each other', () => {
  test('two shelves that use each other are named, with an import of either direction', () => {
    expect(
      read({
        'services/a/x.ts': `import { y } from '../b/y.ts';`,
        'services/b/y.ts': `import type { X } from '../a/x.ts';`,
      }),
    ).toEqual([
      'services/a and services/b import each other: services/a/x.ts imports services/b/y.ts, services/b/y.ts imports services/a/x.ts',
    ]);
  });

  test('a room and its shelves may use each other, and one direction is an order', () => {
    expect(
      read({
        'services/a/door.ts': `import { s } from './shelf/s.ts'; await import('../b/y.ts');`,
        'services/a/shelf/s.ts': `import type { Port } from '../ports.ts';`,
        'services/b/y.ts': `import { join } from 'node:path';`,
      }),
    ).toEqual([]);
  });
});
