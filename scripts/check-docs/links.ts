/** Relative links of Markdown pages lead to a file or folder of the checkout, and where they say so to a heading. */
import { posix } from 'node:path';
import type { Fault, Tree } from './fault.ts';

const LINK = /\]\(([^)\s]+)\)/g;
const FOREIGN = /^[a-z][a-z+.-]*:/i;

export function checkLinks(path: string, tree: Tree): readonly Fault[] {
  const text = withoutCode(tree.read(path));
  return [...text.matchAll(LINK)].flatMap(([, link = '']): Fault[] => {
    if (FOREIGN.test(link)) return [];
    const [to = '', anchor] = link.split('#');
    const target = to === '' ? path : posix.normalize(posix.join(posix.dirname(path), to)).replace(/\/$/, '');
    const isFile = tree.paths.includes(target);
    if (!isFile && !tree.paths.some((each) => each.startsWith(`${target}/`))) {
      return [{ rule: 'link', path, message: `${link} leads to nothing` }];
    }
    if (anchor === undefined || (isFile && anchorsOf(tree.read(target)).has(anchor))) return [];
    return [{ rule: 'link', path, message: `${link}: there is no such heading` }];
  });
}

/** As GitHub makes them: lower case, without punctuation, a hyphen for each space. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  return new Set(
    headingsOf(markdown).map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

export function headingsOf(markdown: string): readonly string[] {
  return [...withoutFences(markdown).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading.trim());
}

function withoutFences(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '');
}

function withoutCode(markdown: string): string {
  return withoutFences(markdown).replace(/`[^`\n]*`/g, '');
}
