/** The renderer is loaded when the first message is due, and what cleans html with the first message that has any. */
import type { Renderer } from './offer.ts';

declare global {
  interface Window {
    hindsightRenderer?: Renderer;
  }
}

export async function loadRenderer(base: string): Promise<Renderer> {
  if (window.hindsightRenderer === undefined) await loadScript(`${base}/v1/plugins/in-app/renderer`);
  if (window.hindsightRenderer === undefined) throw new Error('the renderer left nothing in the page');
  return window.hindsightRenderer;
}

export function loadScript(src: string): Promise<void> {
  return new Promise((done, fail) => {
    const script = document.createElement('script');
    script.src = src;
    script.onload = () => {
      done();
    };
    script.onerror = () => {
      script.remove();
      fail(new Error(`could not load ${src}`));
    };
    document.head.append(script);
  });
}
