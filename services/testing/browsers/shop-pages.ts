/** A shop on an origin of its own, whose every page has the snippets that it is given. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ShopPages {
  /** http://127.0.0.1:port */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * @param snippets by the first segment of the path.
 * @param bodies of pages that say more than where they are, by the same.
 */
export async function openShop(
  snippets: Readonly<Record<string, string>>,
  bodies?: Readonly<Record<string, string>>,
): Promise<ShopPages> {
  const server = createServer(({ url = '/' }, answer) => {
    const [, name = ''] = new URL(url, 'http://shop').pathname.split('/');
    const snippet = snippets[name];
    const page = `<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width"><title>${name}</title>${snippet ?? ''}</head><body>${bodies?.[name] ?? url}</body></html>`;
    answer.writeHead(snippet === undefined ? 404 : 200, { 'content-type': 'text/html' }).end(page);
  });
  await new Promise<void>((done) => {
    server.listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return {
    url: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => {
          done();
        });
      }),
  };
}

/** The snippets that shops paste, as they are published, with one address and the keys changed. */
export function analyticsSnippet(origin: string, writeKey: string, siteId = 'site'): string {
  return read('analytics')
    .replace('https://cdp.customer.io', origin)
    .replace('YOUR_WRITE_KEY', writeKey)
    .replace('YOUR_JOURNEYS_SITE_ID', siteId);
}

export function classicSnippet(origin: string, writeKey: string): string {
  return read('classic').replace(
    'https://assets.customer.io/assets/track.js',
    `${origin}/assets/${writeKey}/track.js`,
  );
}

function read(name: 'analytics' | 'classic'): string {
  return readFileSync(new URL(`../fixtures/snippets/${name}.html`, import.meta.url), 'utf8');
}
