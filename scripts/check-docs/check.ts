/** The documents against the code: rows, proofs, links, citations. Pure but for what the tree reads. */
import { checkCitations } from './citations.ts';
import type { Fault, Tree } from './fault.ts';
import { checkLinks, checkPaths, headingsOf } from './links.ts';
import { checkRows } from './rows.ts';
import { readSpec } from './spec-pages.ts';

const CITING = /\.(?:ts|mjs|js|sql|avsc|py|java|ya?ml|md)$/;

export function checkDocs(tree: Tree): readonly Fault[] {
  const pages = tree.paths.filter((path) => /^docs\/spec\/[^/]+\.md$/.test(path));
  const spec = readSpec(pages.map((path) => ({ path, text: tree.read(path) })));
  const contract = new Set(headingsOf(tree.read('docs/contract.md')).map((each) => each.toLowerCase()));
  return [
    ...checkRows(spec, tree),
    ...tree.paths
      .filter((path) => path.endsWith('.md'))
      .flatMap((path) => [...checkLinks(path, tree), ...checkPaths(path, tree)]),
    ...tree.paths
      .filter((path) => CITING.test(path))
      .flatMap((path) => checkCitations(path, tree.read(path), { spec, contract })),
  ];
}
