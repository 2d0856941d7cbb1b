/** The check of the documents takes a good checkout, and names each fault that is planted in it. */
import { describe, expect, test } from '@jest/globals';
import { checkDocs } from './check.ts';
import type { Tree } from './fault.ts';
import { rowsNamedIn } from './row-lists.ts';
import { titlesOf } from './test-titles.ts';

const suite = 'services/shop/shop.test.ts';
const head = '| row | what must be so | state | shown by |\n|---|---|---|---|\n';
const numbered = (last: number, row: (name: string) => string): string =>
  Array.from({ length: last }, (_, index) => row(String(index + 1))).join('\n');
const notYet = (name: string) => `| ${name} | something | not yet |  |`;
const done = (name: string, title = 'a cart is kept', path = suite) =>
  `| ${name} | something | done | \`${path}\` “${title}” |`;

const good: Readonly<Record<string, string>> = {
  'docs/spec/README.md':
    '# The requirement\n\n**1** are done, **1** partly, **116** not yet. [C](merging.md#c1-the-anonymous-id)\n',
  'docs/spec/http.md': `# HTTP\n\n## A.0 Every endpoint\n\n${head}${numbered(12, notYet)}\n\n*Limits.* 150 bytes.\n`,
  'docs/spec/merging.md': `## C.1 The anonymous id\n\n${head}${numbered(30, notYet)}\n\n## C.3 Two people\n\n${head}${done('outcome')}\n`,
  'docs/spec/rows.md': `## E. Rows\n\n${head}${numbered(118, (name) => {
    if (name === '3') return done(name);
    return name === '4' ? '| 4 | something | partly: half of it lacks | |' : notYet(name);
  })}\n`,
  'docs/contract.md': '# The contract\n\n## Topics\n\nText.\n',
  [suite]: `describe('a shop', () => { test('a cart is kept (spec E rows 2 and 3)', () => {}); });`,
  'services/shop/shop.ts':
    '/** Carts are kept (spec C.1 rows 2 to 4; spec A.0,\n * *Limits*; contract, *Topics*). */\n',
  'README.md':
    '[the rows](docs/spec/), [here](#read-me), [out](https://shop.example/x), `[code](nowhere)`\n\n## Read me\n',
};

function faultsOf(change: Readonly<Record<string, string>>): readonly string[] {
  const files: Readonly<Record<string, string>> = { ...good, ...change };
  const tree: Tree = {
    paths: Object.keys(files),
    read(path) {
      const text = files[path];
      if (text === undefined) throw new Error(`there is no ${path}`);
      return text;
    },
  };
  return checkDocs(tree).map(({ rule, path, message }) => `${rule} ${path}: ${message}`);
}
/** The good page with one thing other than it is. */
function changed(path: string, from: string, to: string): Readonly<Record<string, string>> {
  const text = good[path] ?? '';
  expect(text).toContain(from);
  return { [path]: text.replace(from, to) };
}
const inRows = (from: string, to: string) => faultsOf(changed('docs/spec/rows.md', from, to));
/** Apart, or the check would find it here. */
const cite = (what: string): string => ['sp', 'ec ', what].join('');
const row = (name: number): string => ['C.1', 'row', name].join(' ');

test('a good checkout has no fault', () => {
  expect(faultsOf({})).toEqual([]);
});

describe('rows', () => {
  test('one that is missing', () => {
    expect(inRows(`${notYet('7')}\n`, '')).toEqual([
      'rows docs/spec: E row 7 is there 0 times instead of once',
      expect.stringMatching(/^counts /),
    ]);
  });

  test('one that is there twice', () => {
    expect(inRows(notYet('7'), `${notYet('7')}\n${notYet('7')}`)).toContain(
      'rows docs/spec/rows.md: E row 7 is there 2 times instead of once',
    );
  });

  test('a state that says nothing, as one that does not say what lacks', () => {
    for (const state of ['partly', 'soon', '']) {
      expect(inRows('partly: half of it lacks', state)[0]).toBe(
        `row docs/spec/rows.md: E row 4 says “${state}”; a state is done, partly: what lacks, or not yet`,
      );
    }
  });

  test('figures that are not those of the rows', () => {
    expect(faultsOf(changed('docs/spec/README.md', '**1** are done', '**2** are done'))).toEqual([
      'counts docs/spec/README.md: the rows of E are 1, 1, 116 (done, partly, not yet), and the page says 2, 1, 116',
    ]);
  });
});

describe('what is done', () => {
  const what = 'proof docs/spec/rows.md: E row 3';

  test('without a test', () => {
    expect(inRows(done('3'), '| 3 | something | done | seen |')).toEqual([
      `${what} is done, and no test is named`,
    ]);
  });

  test('by a file that is not there', () => {
    expect(inRows(done('3'), done('3', 'a cart is kept', 'gone.test.ts'))).toEqual([
      `${what}: there is no file gone.test.ts`,
    ]);
  });

  test('by a title that no test has', () => {
    expect(inRows(done('3'), done('3', 'a cart is lost'))).toEqual([
      `${what}: ${suite} has no test whose title has “a cart is lost”`,
    ]);
  });

  test('by a title without the number of the row', () => {
    expect(faultsOf(changed(suite, 'E rows 2 and 3', 'E row 13'))).toEqual([
      `${what}: no title of the tests that are named has its number`,
    ]);
  });

  test('in part: the tests that are named must be there, too', () => {
    const partly = '| 4 | something | partly: half of it lacks | `gone.test.ts` “x” |';
    expect(inRows('| 4 | something | partly: half of it lacks | |', partly)).toEqual([
      'proof docs/spec/rows.md: E row 4: there is no file gone.test.ts',
    ]);
  });

  test('of a row without a number: a test that is there is enough', () => {
    expect(faultsOf(changed('docs/spec/merging.md', 'a cart is kept', 'a cart is lost'))).toEqual([
      `proof docs/spec/merging.md: C.3 row outcome: ${suite} has no test whose title has “a cart is lost”`,
    ]);
  });
});

describe('citations', () => {
  const inCode = (text: string) => faultsOf({ 'services/shop/shop.ts': `// ${text}\n` });
  const at = 'citation services/shop/shop.ts:';

  test('of a section, a row or a part that is not there', () => {
    expect(inCode(cite('C.9'))).toEqual([`${at} ${cite('C.9')}: docs/spec has no such section`]);
    expect(inCode(cite(row(31)))).toEqual([`${at} ${row(31)}: docs/spec has no such row`]);
    expect(inCode(cite('A.0, *Colours*'))).toEqual([
      `${at} ${cite('A.0, *Colours*')}: that section of docs/spec has no part *Colours*`,
    ]);
  });

  test('of a section of the contract that is not there', () => {
    const cited = ['contract, ', '*Colours*'].join('');
    expect(inCode(cited)).toEqual([`${at} ${cited}: docs/contract.md has no such section`]);
  });

  test('of a document that is not in the repository', () => {
    const gone = ['DES', 'IGN'].join('');
    expect(inCode(`see ${gone} section 8`)).toEqual([
      `${at} ${gone}: is not in the repository; cite docs/contract.md or docs/spec`,
    ]);
    expect(inCode(`franz-go has a ${gone}.md`)).toEqual([]);
  });

  test('that goes on in the next line of a comment', () => {
    const [before = '', after = ''] = cite(row(99)).split('row');
    expect(faultsOf({ 'services/shop/shop.ts': `/**\n * ${before.trim()}\n * row${after}\n */\n` })).toEqual([
      `${at} ${row(99)}: docs/spec has no such row`,
    ]);
  });
});

describe('links', () => {
  test('to a file that is not there', () => {
    expect(faultsOf(changed('README.md', 'docs/spec/', 'docs/sepc/'))).toEqual([
      'link README.md: docs/sepc/ leads to nothing',
    ]);
  });

  test('to a heading that is not there', () => {
    expect(faultsOf(changed('docs/spec/README.md', '#c1-the-anonymous-id', '#c1'))).toEqual([
      'link docs/spec/README.md: merging.md#c1: there is no such heading',
    ]);
    expect(faultsOf(changed('README.md', '#read-me', '#read'))).toHaveLength(1);
  });
});

test('a path in code marks that is not there, a * standing for any name', () => {
  const readme = (path: string) => faultsOf({ 'README.md': `See \`${path}\`.\n` });
  expect(readme('services/shop/shop.ts')).toEqual([]);
  expect(readme('services/shop/')).toEqual([]);
  expect(readme('services/*/shop*.ts')).toEqual([]);
  for (const path of ['services/shop/shap.ts', 'services/shop/sh', 'services/*/sh.ts']) {
    expect(readme(path)).toEqual([`link README.md: \`${path}\` is not in the repository`]);
  }
});

test('lists of rows are read as people write them', () => {
  expect([...rowsNamedIn('C.1 rows 1, 3 to 5 and 9, E row 12')]).toEqual([
    ...['C.1/1', 'C.1/3', 'C.1/4', 'C.1/5', 'C.1/9'],
    'E/12',
  ]);
});

test('titles are those of jest, of every kind of test', () => {
  const text = `
    describe('a shop', () => {
      test('sells', () => {});
      describe.each([1])('at %s', () => { it.each\`a\`('opens %s', () => {}); });
    });
    test.each([1, 2])('keeps %s', () => {});
    test(\`has \${n} carts\`, () => {});
    call('is no test', () => {});
    test.skip('is left out', () => {});`;
  expect(titlesOf('shop.test.ts', text)).toEqual([
    'a shop sells',
    'a shop at %s opens %s',
    'keeps %s',
    'has ',
  ]);
});
