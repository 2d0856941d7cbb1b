/** A form that takes what identifies, or answers. */
import { element } from './element.ts';

/** What browsers fill in, and which keyboard a telephone shows. */
const KINDS: Readonly<Record<string, readonly [type: string, autocomplete: string]>> = {
  email: ['email', 'email'],
  phone: ['tel', 'tel'],
  name: ['text', 'name'],
  first_name: ['text', 'given-name'],
  last_name: ['text', 'family-name'],
};
const fieldCharsMax = 500;

export interface FormParts {
  readonly fields: readonly string[];
  readonly submit: string;
  /** Of the message, so that two on one page do not share ids. */
  readonly id: string;
}

export function drawForm(
  { fields, submit, id }: FormParts,
  submitted: (answers: Readonly<Record<string, string>>) => void,
): HTMLFormElement {
  const form = element('form', { class: 'row' });
  for (const [index, name] of fields.entries()) {
    const [type, autocomplete] = KINDS[name] ?? ['text', 'off'];
    const field = `${id}-field-${String(index)}`;
    const input = element('input', { id: field, name, type, autocomplete, maxlength: String(fieldCharsMax) });
    input.required = name === 'email' || name === 'phone';
    form.append(element('label', { for: field }, labelOf(name), input));
  }
  form.append(element('button', { class: 'button', type: 'submit' }, submit));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = [...new FormData(form)].flatMap(([name, value]) => {
      const text = typeof value === 'string' ? value.trim() : '';
      return text === '' ? [] : [[name, text] as const];
    });
    if (given.length > 0) submitted(Object.fromEntries(given));
  });
  return form;
}

/** `favourite_colour`: Favourite colour. */
function labelOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
}
