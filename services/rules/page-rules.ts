/**
 * Page rules: `contains` and `equals`, with `*` for any text. The decision is a scan for one piece after another and never
 * goes back by more than the pieces say; the pattern is only told to clients, which have no other form (spec B).
 */
export type PageRule = { readonly type: 'contains' | 'equals'; readonly text: string };

export interface Page {
  /** What the page calls itself, mostly its url. */
  readonly name: string;
  readonly path: string | null;
}

/** Any of the rules, on the page's name or its path; no rule is every page. */
export function pageMatches(rules: readonly PageRule[], page: Page): boolean {
  if (rules.length === 0) return true;
  return rules.some(
    (rule) => matchesText(rule, page.name) || (page.path !== null && matchesText(rule, page.path)),
  );
}

function matchesText({ type, text }: PageRule, subject: string): boolean {
  const pieces = text.split('*');
  const open = type === 'contains';
  const [first = ''] = pieces;
  const last = pieces.at(-1) ?? '';
  if (pieces.length === 1) return open ? subject.includes(text) : subject === text;
  if (!open && !(subject.startsWith(first) && subject.endsWith(last))) return false;
  const end = open ? subject.length : subject.length - last.length;
  let at = open ? 0 : first.length;
  // The leftmost place for each piece leaves the most for those that follow.
  for (const piece of open ? pieces : pieces.slice(1, -1)) {
    const found = subject.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return at <= end;
}

/**
 * As Customer.io's own builder writes it (spec B): `^(.*X.*)$`, `^(X)$`, several as `^(X)|(Y)$`, of which the first may
 * go on and the last may begin otherwise; what is shown is decided above. null: every page.
 */
export function pagePattern(rules: readonly PageRule[]): string | null {
  if (rules.length === 0) return null;
  const parts = rules.map(({ type, text }) => {
    const escaped = text.split('*').map(escapePattern).join('.*');
    return type === 'contains' ? `(.*${escaped}.*)` : `(${escaped})`;
  });
  return `^${parts.join('|')}$`;
}

function escapePattern(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
}
