/** Titles of the tests in a file, as jest says them: those of the groups around a test go before its own. */
import ts from 'typescript';

const TESTS = new Set(['test', 'it']);
/** `test.skip` shows nothing. */
const NOT_RUN = new Set(['skip', 'todo']);

export function titlesOf(path: string, text: string): readonly string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const titles: string[] = [];
  const visit = (node: ts.Node, around: string): void => {
    const called = ts.isCallExpression(node) ? titleOf(node) : undefined;
    if (called !== undefined && TESTS.has(called.name)) titles.push(`${around}${called.title}`);
    const within = called?.name === 'describe' ? `${around}${called.title} ` : around;
    ts.forEachChild(node, (child) => {
      visit(child, within);
    });
  };
  visit(file, '');
  return titles;
}

/** Of `test('…', …)`, `test.each(rows)('…', …)` and the like. */
function titleOf(call: ts.CallExpression): { readonly name: string; readonly title: string } | undefined {
  const [first] = call.arguments;
  if (first === undefined || !(ts.isStringLiteralLike(first) || ts.isTemplateExpression(first)))
    return undefined;
  let callee: ts.Expression = call.expression;
  for (;;) {
    if (ts.isPropertyAccessExpression(callee)) {
      if (NOT_RUN.has(callee.name.text)) return undefined;
      callee = callee.expression;
    } else if (ts.isCallExpression(callee)) callee = callee.expression;
    else if (ts.isTaggedTemplateExpression(callee)) callee = callee.tag;
    else break;
  }
  if (!ts.isIdentifier(callee)) return undefined;
  return { name: callee.text, title: ts.isTemplateExpression(first) ? first.head.text : first.text };
}
