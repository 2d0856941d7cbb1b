/** As much of jsdom as the tests use; its published types bring those of the whole DOM to every file. */
declare module 'jsdom' {
  export const CookieJar: new () => object;
  export const VirtualConsole: new () => object;

  export interface PageWindow {
    readonly document: { readonly readyState: string };
    addEventListener(type: string, listener: (event: unknown) => void, options?: { once: boolean }): void;
    eval(code: string): unknown;
    close(): void;
  }

  export function requestInterceptor(intercept: (request: Request) => Response | undefined): unknown;

  export class JSDOM {
    readonly window: PageWindow;
    static fromURL(
      url: string,
      options: {
        readonly cookieJar: object;
        readonly pretendToBeVisual: boolean;
        readonly runScripts: 'dangerously';
        readonly resources: { readonly interceptors: readonly unknown[] };
        readonly virtualConsole: object;
        readonly beforeParse: (window: PageWindow) => void;
      },
    ): Promise<JSDOM>;
  }
}
