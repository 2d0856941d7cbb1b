/*!
 * Hindsight: on-site messages, what shows them. Apache-2.0.
 */
import { drawContent } from './draw-content.ts';
import { element } from './element.ts';
import { frameOf, placeOf } from './frame-message.ts';
import { htmlFrame } from './html-frame.ts';
import { cleaner } from './load-cleaner.ts';
import { styleInto } from './message-style.ts';
import type { Content, Reaction, Renderer, Shown } from './offer.ts';

function show(content: Content, react: (reaction: Reaction) => void): Shown {
  const host = element('div', { 'data-hindsight-message': content.kind });
  const root = host.attachShadow({ mode: 'open' });
  styleInto(root);
  let isOpen = true;
  let isAnswered = false;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    frame.close();
  };
  const dismiss = () => {
    if (!isOpen) return;
    close();
    // Who has left an email and closes what thanks them does not dismiss it.
    if (!isAnswered) react({ event: 'dismissed' });
  };
  const reacted = (reaction: Reaction) => {
    if (reaction.event === 'submitted') isAnswered = true;
    react(reaction);
  };
  const frame = frameOf(content, host, dismiss);
  const { box } = frame;
  const drawHtml = (html: string, title: string) =>
    htmlFrame(html, { title, clean: cleaner, led: (url) => react({ event: 'clicked', action: url }) });
  const { nodes, titleId, bodyId } = drawContent(content, { react: reacted, close, drawHtml });
  if (titleId === undefined) box.setAttribute('aria-label', content.body ?? 'Message');
  else box.setAttribute('aria-labelledby', titleId);
  if (bodyId !== undefined) box.setAttribute('aria-describedby', bodyId);
  const cross = element('button', { class: 'close', type: 'button', 'aria-label': 'Close' }, '×');
  cross.addEventListener('click', dismiss);
  // Last, so that focus begins with what the message is about.
  box.append(...nodes, cross);
  root.append(box);
  frame.open();
  return { close, isOpen: () => isOpen };
}

const renderer: Renderer = {
  hasPlace: ({ kind, element: name }) =>
    (kind !== 'inline' && kind !== 'tooltip') || placeOf(name ?? '') !== undefined,
  show,
};
window.hindsightRenderer = renderer;
