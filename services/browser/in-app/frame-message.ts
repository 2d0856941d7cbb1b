/** Puts a drawn message into the page, in its place, and takes it away again. */
import { element } from './element.ts';
import type { Content } from './offer.ts';
import { placeTooltip, type Side } from './place-tooltip.ts';

export interface Frame {
  /** The element that has the message. */
  readonly box: HTMLElement;
  /** Into the page. */
  open(): void;
  close(): void;
}

/** The element named by a CSS id or a selector; undefined: the page has none. */
export function placeOf(name: string): HTMLElement | undefined {
  try {
    const found = document.getElementById(name) ?? document.querySelector(name);
    return found instanceof HTMLElement ? found : undefined;
  } catch {
    return undefined; // no selector, and no id of this page
  }
}

export function frameOf(content: Content, host: HTMLElement, dismiss: () => void): Frame {
  return content.kind === 'modal' ? modal(content, host, dismiss) : standing(content, host, dismiss);
}

/** The browser's own: focus goes in, stays in, and comes back; the page behind is out of reach; Escape closes. */
function modal({ position }: Content, host: HTMLElement, dismiss: () => void): Frame {
  const box = element('dialog', { class: `message ${position ?? 'center'}` });
  box.addEventListener('cancel', (event) => {
    event.preventDefault();
    dismiss();
  });
  return {
    box,
    open: () => {
      document.body.append(host);
      box.showModal();
    },
    close: () => {
      box.close();
      host.remove();
    },
  };
}

/** Beside what the visitor does: it takes no focus, but says that it is there. */
function standing(content: Content, host: HTMLElement, dismiss: () => void): Frame {
  const { kind, title } = content;
  const isInline = kind === 'inline';
  const usual = kind === 'overlay' ? 'bottom-right' : kind === 'banner' ? 'top' : '';
  const position = kind === 'tooltip' ? '' : (content.position ?? usual);
  const look = isInline ? 'inline' : `fixed ${kind} ${position}`;
  const box = element('section', {
    class: `message ${look}`,
    role: kind === 'tooltip' ? 'dialog' : 'region',
  });
  const said = element('div', { class: 'unseen', role: 'status' });
  let before: HTMLElement | undefined;
  let stopFollowing: (() => void) | undefined;
  box.addEventListener('focusin', ({ relatedTarget }) => {
    if (relatedTarget instanceof HTMLElement && !box.contains(relatedTarget)) before = relatedTarget;
  });
  box.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') dismiss();
  });
  return {
    box,
    open: () => {
      (isInline ? (placeOf(content.element ?? '') ?? document.body) : document.body).append(host);
      host.shadowRoot?.append(said);
      if (kind === 'tooltip') stopFollowing = follow(box, content);
      // What is there from the start is not read out; what changes is.
      setTimeout(() => said.append(title ? `New message: ${title}` : 'New message'), 100);
    },
    close: () => {
      const hadFocus = host.shadowRoot?.activeElement !== null;
      stopFollowing?.();
      host.remove();
      if (hadFocus) before?.focus();
    },
  };
}

/** The element moves when the page scrolls or is laid out anew. */
function follow(box: HTMLElement, content: Content): () => void {
  const place = () => {
    const anchor = placeOf(content.element ?? '');
    if (anchor === undefined) return;
    const tip = { width: box.offsetWidth, height: box.offsetHeight };
    const side = (content.position ?? 'bottom') as Side; // of a tooltip it is one (contract)
    const screen = { width: document.documentElement.clientWidth, height: innerHeight };
    const { left, top } = placeTooltip(anchor.getBoundingClientRect(), tip, screen, side);
    box.style.left = `${String(left)}px`;
    box.style.top = `${String(top)}px`;
  };
  const changes = new ResizeObserver(place);
  changes.observe(box);
  changes.observe(document.documentElement);
  addEventListener('scroll', place, { passive: true, capture: true });
  addEventListener('resize', place);
  place();
  return () => {
    changes.disconnect();
    removeEventListener('scroll', place, { capture: true });
    removeEventListener('resize', place);
  };
}
