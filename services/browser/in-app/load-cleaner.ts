/** What cleans html, loaded with the first message that has any; and where the page has loaded us from. */
import type { CleanHtml } from './html-frame.ts';
import { loadScript } from './load-renderer.ts';

declare global {
  interface Window {
    hindsightCleanHtml?: CleanHtml;
  }
}

const script = document.currentScript as HTMLScriptElement | null; // no script of a drawing
const base = script?.src
  ? script.src.split('/v1/plugins/')[0]
  : location.href.replace(/\/index\.html.*$/, '');

export async function cleaner(): Promise<CleanHtml> {
  if (window.hindsightCleanHtml === undefined) await loadScript(`${base ?? ''}/v1/plugins/in-app/html`);
  if (window.hindsightCleanHtml === undefined) throw new Error('what cleans html left nothing in the page');
  return window.hindsightCleanHtml;
}
