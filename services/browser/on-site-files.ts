/**
 * What pages load for on-site messages: built from in-app/ by scripts/build-in-app.ts and kept in built/, so that an
 * installation builds nothing. The client comes with the page, the rest when a message is due.
 */
import { readFileSync } from 'node:fs';
import { scriptFile, type ScriptFile } from './script-file.ts';

export interface OnSiteFiles {
  readonly client: ScriptFile;
  readonly renderer: ScriptFile;
  /** Loaded for messages with html only. */
  readonly html: ScriptFile;
  /** The page that Customer.io's own web plugin shows in a frame (spec B). */
  readonly framePage: ScriptFile;
}

export function onSiteFiles(): OnSiteFiles {
  const frame = read('frame').toString().replaceAll('</script', '<\\/script');
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Message</title></head><body style="margin:0"><script>${frame}</script></body></html>\n`;
  return {
    client: scriptFile(read('client')),
    renderer: scriptFile(read('renderer')),
    html: scriptFile(read('html')),
    framePage: scriptFile(Buffer.from(page)),
  };
}

function read(name: string): Buffer {
  return readFileSync(new URL(`./built/in-app-${name}.js`, import.meta.url));
}
