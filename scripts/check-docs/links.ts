/**
 * Relative links of Markdown pages lead to a file or folder of the checkout, and where they say so to a heading. So do
 * paths in code marks, `services/app/trace.ts`, in which a `*` stands for any name.
 */
import { posix } from 'node:path';
import type { Fault, Tree } from './fault.ts';

const LINK = /\]\(([^)\s]+)\)/g;
const PATH = /`((?:bench|docs|examples|infra|schemas|scripts|services)\/[\w*./-]*)`/g;
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

export function checkPaths(path: string, tree: Tree): readonly Fault[] {
  return [...withoutFences(tree.read(path)).matchAll(PATH)].flatMap(([, named = '']): Fault[] => {
    const names = named.replace(/\/$/, '').split('*');
    const pattern = new RegExp(`^${names.map((name) => name.replaceAll('.', '[.]')).join('[^/]*')}(?:/|$)`);
    if (tree.paths.some((each) => pattern.test(each))) return [];
    return [{ rule: 'link', path, message: `\`${named}\` is not in the repository` }];
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
