/** Folders that import each other, told from the text of their files. Pure. */
import { posix } from 'node:path';

/** One file that imports another, both from the root of the repository. */
export interface Import {
  readonly from: string;
  readonly to: string;
}

const RELATIVE = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']*)'/g;

export function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(RELATIVE)].map(([, path = '']) => ({
    from: file,
    to: posix.join(posix.dirname(file), path),
  }));
}

/** A sentence for each pair, with an import of either direction. */
export function foldersThatImportEachOther(imports: readonly Import[]): string[] {
  const first = new Map<string, Import>();
  for (const one of imports) {
    const [from, to] = [posix.dirname(one.from), posix.dirname(one.to)];
    if (from === to || isInside(from, to) || isInside(to, from)) continue;
    const pair = `${from} ${to}`;
    if (!first.has(pair)) first.set(pair, one);
  }
  return [...first].flatMap(([pair, there]) => {
    const [from = '', to = ''] = pair.split(' ');
    const back = first.get(`${to} ${from}`);
    if (back === undefined || from > to) return [];
    return [
      `${from} and ${to} import each other: ${there.from} imports ${there.to}, ${back.from} imports ${back.to}`,
    ];
  });
}

function isInside(folder: string, outer: string): boolean {
  return outer === '.' || folder.startsWith(`${outer}/`);
}
