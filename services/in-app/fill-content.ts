/** A variant's content with its texts filled in from what the visitor did. */
import type { Content } from '../rules/message.ts';
import { mayLead } from '../rules/parse-content.ts';
import { parseTemplate, RenderBudget, type TextTemplate } from '../rules/template.ts';
import type { JsonObject } from '../rules/paths.ts';
import type { Filled, FilledContent } from './decide/offers.ts';

interface Compiled {
  readonly texts: ReadonlyMap<'title' | 'body' | 'html' | 'coupon', TextTemplate>;
  readonly actions: readonly { readonly label: TextTemplate; readonly url: TextTemplate | null }[];
  readonly submit: TextTemplate | null;
}

const compiled = new WeakMap<Content, Compiled>();
const TEXTS = ['title', 'body', 'html', 'coupon'] as const;

/** A message with a hole in it is not shown. All of its texts share what they may cost. */
export function fillContent(content: Content, data: JsonObject): Filled {
  const budget = new RenderBudget();
  const filled = contentWith(content, data, budget);
  if (!hasHole(filled)) return { ok: true, content: filled };
  return { ok: false, reason: budget.isExceeded ? 'text_too_costly' : 'text_unfillable' };
}

function contentWith(content: Content, data: JsonObject, budget: RenderBudget): FilledContent {
  const { texts, actions, submit } = compile(content);
  const { kind, position, element } = content;
  const filled: Record<string, unknown> = { kind, position };
  if (element !== null) filled['element'] = element;
  for (const [name, template] of texts) filled[name] = template.render(data, budget);
  if (content.actions.length > 0) {
    filled['actions'] = content.actions.map((action, index) => {
      const { label, url } = actions[index] ?? { label: undefined, url: null };
      const { name, close, snooze } = action;
      const leads = url?.render(data, budget);
      return {
        name,
        label: label?.render(data, budget),
        close,
        ...(leads !== undefined && mayLead(leads) && { url: leads }),
        ...(snooze !== null && { snooze }),
      };
    });
  }
  if (content.form !== null)
    filled['form'] = { fields: content.form.fields, submit: submit?.render(data, budget) };
  return filled;
}

function hasHole(value: unknown): boolean {
  if (value === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasHole);
}

function compile(content: Content): Compiled {
  let found = compiled.get(content);
  if (found === undefined) {
    found = {
      texts: new Map(
        TEXTS.flatMap((name) => {
          const text = content[name];
          return text === null ? [] : [[name, template(text, name === 'html')] as const];
        }),
      ),
      actions: content.actions.map(({ label, url }) => ({
        label: template(label),
        url: url === null ? null : template(url),
      })),
      submit: content.form === null ? null : template(content.form.submit),
    };
    compiled.set(content, found);
  }
  return found;
}

const unfillable: TextTemplate = { render: () => undefined };

/** What was stored has been parsed before; what a later version of the library cannot read is a hole. */
function template(text: string, isHtml = false): TextTemplate {
  const parsed = parseTemplate(text, isHtml);
  return parsed.ok ? parsed.template : unfillable;
}
