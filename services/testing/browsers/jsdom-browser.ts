/** jsdom as a browser: it loads and runs the scripts of a page. Of the network it gets this machine and no more. */
import { CookieJar, JSDOM, requestInterceptor, VirtualConsole } from 'jsdom';
import type { Browser, Visitor } from './browser.ts';

/** @param refused is told each address elsewhere that a page asks for. */
export function jsdomBrowser(refused: (url: string) => void = () => undefined): Browser {
  return { visitor: () => Promise.resolve(visitor(refused)), close: () => Promise.resolve() };
}

function visitor(refused: (url: string) => void): Visitor {
  const ofThisMachine = (request: Request): Response | undefined => {
    if (['127.0.0.1', 'localhost'].includes(new URL(request.url).hostname)) return undefined;
    refused(request.url);
    return new Response('', { status: 502 });
  };
  const fetchHere: typeof fetch = async (...asked) =>
    ofThisMachine(new Request(...asked)) ?? (await fetch(...asked));
  const cookieJar = new CookieJar();
  let page: JSDOM | undefined;
  const close = (): Promise<void> => {
    page?.window.close();
    page = undefined;
    return Promise.resolve();
  };
  return {
    goto: async (url) => {
      await close();
      const loaded = await JSDOM.fromURL(url, {
        cookieJar,
        pretendToBeVisual: true,
        runScripts: 'dangerously',
        resources: { interceptors: [requestInterceptor(ofThisMachine)] },
        virtualConsole: new VirtualConsole(),
        beforeParse: (window) => {
          // jsdom has none of these; a page of today counts on them.
          Object.assign(window, {
            fetch: fetchHere,
            Headers,
            Request,
            Response,
            AbortController,
            AbortSignal,
          });
          Object.defineProperty(window, 'crypto', { value: crypto });
        },
      });
      page = loaded;
      if (loaded.window.document.readyState !== 'complete') {
        await new Promise((done) => {
          loaded.window.addEventListener('load', done, { once: true });
        });
      }
    },
    evaluate: async (expression) => {
      if (page === undefined) throw new Error('there is no page');
      const value: unknown = await page.window.eval(expression);
      return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown);
    },
    close,
  };
}
