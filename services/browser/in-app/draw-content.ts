/** The inside of a message, wherever it stands. */
import { targetOf } from './action-target.ts';
import { drawForm } from './draw-form.ts';
import { element } from './element.ts';
import type { Action, Content, Reaction } from './offer.ts';

export interface Drawing {
  readonly nodes: readonly HTMLElement[];
  /** Of the element that names the message, and of the one that says more, if there are such. */
  readonly titleId: string | undefined;
  readonly bodyId: string | undefined;
}

export interface DrawPorts {
  readonly react: (reaction: Reaction) => void;
  /** Takes the message away. */
  readonly close: () => void;
  readonly drawHtml: (html: string, title: string) => HTMLElement;
}

let drawn = 0;

export function drawContent(content: Content, ports: DrawPorts): Drawing {
  const id = `hindsight-${String(++drawn)}`;
  const { title, body, html, coupon, actions, form } = content;
  const nodes: HTMLElement[] = [];
  if (title) nodes.push(element('h2', { class: 'title', id: `${id}-title` }, title));
  if (body) nodes.push(element('p', { class: 'body', id: `${id}-body` }, body));
  if (html) nodes.push(ports.drawHtml(html, title ?? 'Message'));
  if (coupon && !form) nodes.push(drawCoupon(coupon, ports));
  const buttons = (actions ?? []).map((action, index) => drawAction(action, index, ports));
  // Who has answered declines no more, and has nothing to be asked later.
  const answered = () => actions?.forEach((action, index) => isDeclining(action) && buttons[index]?.remove());
  if (form) nodes.push(drawCapture(content, id, { ...ports, answered }));
  if (buttons.length > 0) nodes.push(element('div', { class: 'row' }, ...buttons));
  return { nodes, titleId: title ? `${id}-title` : undefined, bodyId: body ? `${id}-body` : undefined };
}

function isDeclining(action: Action): boolean {
  const { type } = targetOf(action);
  return type === 'closes' || type === 'snoozes';
}

/** In the place of the form comes a word of thanks, read out, and the code that it was for. */
function drawCapture(
  { form, coupon }: Content,
  id: string,
  { react, answered }: Pick<DrawPorts, 'react'> & { readonly answered: () => void },
): HTMLElement {
  const place = element('div', { class: 'capture' });
  if (!form) return place;
  const drawn = drawForm({ ...form, id }, (answers) => {
    const thanks = element('p', { class: 'body', role: 'status', tabindex: '-1' }, 'Thank you.');
    place.replaceChildren(thanks, ...(coupon ? [drawCoupon(coupon, { react })] : []));
    thanks.focus();
    answered();
    react({ event: 'submitted', answers });
  });
  place.append(drawn);
  return place;
}

function drawCoupon(coupon: string, { react }: Pick<DrawPorts, 'react'>): HTMLElement {
  const code = element('code', {}, coupon);
  const copy = element('button', { class: 'button quiet', type: 'button' }, 'Copy code');
  copy.addEventListener('click', () => {
    react({ event: 'clicked', action: 'coupon' });
    const told = () => copy.replaceChildren('Copied');
    // Where the clipboard is not to be had the code is selected instead, ready to be copied.
    const select = () => getSelection()?.selectAllChildren(code);
    if ('clipboard' in navigator) navigator.clipboard.writeText(coupon).then(told, select);
    else select();
  });
  return element('div', { class: 'row' }, code, copy);
}

function drawAction(action: Action, index: number, { react, close }: DrawPorts): HTMLElement {
  const target = targetOf(action);
  const look = { class: index === 0 ? 'button' : 'button quiet' };
  const { name, label } = action;
  const made =
    target.type === 'leads'
      ? element('a', { ...look, href: target.url }, label)
      : element('button', { ...look, type: 'button' }, label);
  made.addEventListener('click', () => {
    switch (target.type) {
      case 'snoozes':
        react({ event: 'snoozed', action: name, minutes: target.minutes });
        break;
      case 'closes':
        // "No, thank you" is a dismissal, whatever the button says.
        react({ event: 'dismissed', action: name });
        break;
      default:
        react({ event: 'clicked', action: name });
    }
    if (target.type !== 'stays' || action.close === true) close();
  });
  return made;
}
