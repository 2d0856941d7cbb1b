/**
 * Html of a message: cleaned, and in a frame in which nothing runs, so that neither a hole in the cleaning nor a style
 * of it reaches the shop's page. The frame's origin is the page's, for its height to be read; without scripts that gives
 * nobody anything.
 */
import { element } from './element.ts';

const POLICY = "default-src 'none'; img-src https: data:; style-src 'unsafe-inline'; font-src https: data:";
const LOOK = `:root{color-scheme:light dark}body{margin:0;font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}img{max-width:100%;height:auto}`;
const heightPxMax = 4_000;

export type CleanHtml = (html: string) => string;

export interface HtmlFrameOptions {
  readonly title: string;
  /** Rejected, the frame stays empty. */
  readonly clean: () => Promise<CleanHtml>;
  /** A link of it was followed. */
  readonly led: (url: string) => void;
}

export function htmlFrame(html: string, { title, clean, led }: HtmlFrameOptions): HTMLIFrameElement {
  const frame = element('iframe', {
    title,
    sandbox:
      'allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation',
    referrerpolicy: 'no-referrer',
  });
  frame.addEventListener('load', () => {
    const page = frame.contentDocument?.documentElement;
    if (!page) return;
    const fit = () => {
      frame.style.height = `${String(Math.min(heightPxMax, page.scrollHeight))}px`;
    };
    fit();
    page.addEventListener('click', ({ target }) => {
      // Of the frame's own window, whose classes are not ours.
      const link = (target as Element | null)?.closest('a');
      if (link) led(link.href);
    });
    new ResizeObserver(fit).observe(page);
  });
  clean().then(
    (cleaned) => {
      frame.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="content-security-policy" content="${POLICY}"><base target="_top"><title></title><style>${LOOK}</style>${cleaned(html)}`;
    },
    () => undefined,
  );
  return frame;
}
