/** Chromium without a window, spoken to by its DevTools protocol. Of the network it gets this machine and no more. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Visitor } from './browser.ts';
import { DevTools, type Members } from './dev-tools.ts';

const startMsMax = 60_000;
const options = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--no-first-run',
  '--remote-debugging-port=0',
];

/** More than any browser does: what a person at it does, and what it looks like. */
export interface ChromiumVisitor extends Visitor {
  /** Another tab of the same visitor. */
  tab(): Promise<ChromiumVisitor>;
  /** A call of the DevTools protocol, of this tab. */
  call(method: string, params?: Members): Promise<Members>;
  /** The value of an expression in a frame of another origin, by how its address begins; undefined: no such frame is open. */
  evaluateInFrame(address: string, expression: string): Promise<unknown>;
}

export interface ChromiumOptions {
  /** Ports of the host `localhost`, by the port that stands for each: what a client has compiled in leads to a server here. */
  readonly localhost?: Readonly<Record<number, number>>;
}

export interface ChromiumBrowser extends Browser {
  visitor(): Promise<ChromiumVisitor>;
}

/** @param program its path. */
export async function chromiumBrowser(
  program: string,
  { localhost = {} }: ChromiumOptions = {},
): Promise<ChromiumBrowser> {
  const folder = mkdtempSync(join(tmpdir(), 'hindsight-chromium-'));
  const led = Object.entries(localhost).map(([from, to]) => `MAP localhost:${from} 127.0.0.1:${String(to)}`);
  const rules = [...led, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'].join(' , ');
  const args = [...options, `--host-resolver-rules=${rules}`, `--user-data-dir=${folder}`, 'about:blank'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((done) => {
    child.once('close', () => {
      done();
    });
  });
  const tools = await DevTools.connect(await addressOf(child));
  return {
    visitor: () => visitor(tools),
    close: async () => {
      tools.close();
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function visitor(tools: DevTools): Promise<ChromiumVisitor> {
  const { browserContextId } = await tools.call('Target.createBrowserContext');
  return tab(tools, browserContextId);
}

async function tab(tools: DevTools, browserContextId: unknown): Promise<ChromiumVisitor> {
  const { targetId } = await tools.call('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await tools.call('Target.attachToTarget', { targetId, flatten: true });
  const session = String(sessionId);
  await tools.call('Page.enable', {}, session);
  return {
    tab: () => tab(tools, browserContextId),
    call: (method, params = {}) => tools.call(method, params, session),
    goto: async (url) => {
      const loaded = tools.event('Page.loadEventFired', session);
      const { errorText } = await tools.call('Page.navigate', { url }, session);
      if (errorText !== undefined) throw new Error(`could not go to ${url}: ${JSON.stringify(errorText)}`);
      await loaded;
    },
    evaluate: (expression) => evaluate(tools, session, expression),
    evaluateInFrame: async (address, expression) => {
      const { targetInfos } = await tools.call('Target.getTargets');
      const frame = (targetInfos as readonly Target[]).find(
        ({ type, url, browserContextId: of }) =>
          type === 'iframe' && url.startsWith(address) && of === browserContextId,
      );
      if (frame === undefined) return undefined;
      const { targetId: frameId } = frame;
      const attached = await tools.call('Target.attachToTarget', { targetId: frameId, flatten: true });
      const inFrame = String(attached['sessionId']);
      try {
        return await evaluate(tools, inFrame, expression);
      } finally {
        await tools.call('Target.detachFromTarget', { sessionId: inFrame });
      }
    },
    close: async () => {
      await tools.call('Target.disposeBrowserContext', { browserContextId });
    },
  };
}

/** Of the protocol. */
interface Target {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
  readonly browserContextId?: string;
}

async function evaluate(tools: DevTools, session: string, expression: string): Promise<unknown> {
  const asked = { expression, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await tools.call('Runtime.evaluate', asked, session);
  if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
  return (result as { readonly value?: unknown }).value; // of the protocol
}

/** It says so on its error stream. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    const said: string[] = [];
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      fail(new Error(`Chromium did not start in ${String(startMsMax)} ms: ${said.join('\n')}`));
    }, startMsMax);
    child.once('close', () => {
      clearTimeout(late);
      fail(new Error(`Chromium ended: ${said.join('\n')}`));
    });
    if (child.stderr === null) return;
    createInterface(child.stderr).on('line', (line) => {
      said.push(line);
      const address = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (address === undefined) return;
      clearTimeout(late);
      done(address);
    });
  });
}
