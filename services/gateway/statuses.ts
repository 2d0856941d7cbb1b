/**
 * Finds the other services and asks them how far they are: from `$HINDSIGHT_DATA/run/<name>.json`, which each writes at
 * its start, or from HINDSIGHT_STATUS_URLS (name=url,…; a name once for each process) where they run on other machines.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServiceStatus, Statuses } from '../app/plugin.ts';
import { CodedError } from '../runtime/errors.ts';

const askMsMax = 2_000;

export interface StatusesOptions {
  readonly dataFolder: string;
  readonly statusUrls: string | undefined;
}

export function findStatuses({ dataFolder, statusUrls }: StatusesOptions): Statuses {
  const folder = join(dataFolder, 'run');
  const given = statusUrls === undefined ? undefined : parseUrls(statusUrls);
  const urlsOf = async (service: string): Promise<readonly string[]> =>
    given === undefined ? await urlsInFolder(folder, service) : (given.get(service) ?? []);
  /** The last where there are several. */
  const urlOf = async (service: string): Promise<string | undefined> => (await urlsOf(service)).at(-1);
  return {
    of: async (service) => {
      const url = await urlOf(service);
      return url === undefined ? undefined : await statusAt(url, service);
    },
    instances: async (service) => Promise.all((await urlsOf(service)).map((url) => statusAt(url, service))),
    names: async () => (given === undefined ? await namesInFolder(folder) : [...given.keys()]),
    ready: async (service) => {
      const url = await urlOf(service);
      if (url === undefined) return { ok: false, detail: 'has not started' };
      const answer = await ask(`${url}/health/ready`);
      if (answer === undefined) return { ok: false, detail: 'does not answer' };
      return answer.ok ? { ok: true } : { ok: false, detail: faultsOf(answer.body) };
    },
  };
}

/** Which of its parts are not well, and why, as text. */
function faultsOf(body: unknown): string {
  const { parts } = body as { readonly parts?: Readonly<Record<string, { ok: boolean; detail?: string }>> };
  const faults = Object.entries(parts ?? {}).filter(([, { ok }]) => !ok);
  if (faults.length === 0) return JSON.stringify(body); // it answers with an error of its own
  return faults.map(([name, { detail }]) => `${name}: ${detail ?? 'is not ready'}`).join('; ');
}

/** A port that its service has left may be another's by now, whose answer says nothing of this one. */
async function statusAt(url: string, service: string): Promise<ServiceStatus | undefined> {
  const answer = await ask(`${url}/status`);
  if (answer?.ok !== true) return undefined;
  const status = answer.body as ServiceStatus & { readonly service?: string }; // our own services' answer
  return status.service === service ? status : undefined;
}

async function ask(url: string): Promise<{ readonly ok: boolean; readonly body: unknown } | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(askMsMax) });
    return { ok: response.ok, body: await response.json() };
  } catch {
    return undefined; // not there, or not yet: the caller asks again
  }
}

async function urlsInFolder(folder: string, service: string): Promise<readonly string[]> {
  try {
    const file = JSON.parse(await readFile(join(folder, `${service}.json`), 'utf8')) as { url?: unknown };
    return typeof file.url === 'string' ? [file.url] : [];
  } catch {
    return [];
  }
}

async function namesInFolder(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => []);
  return files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
}

function parseUrls(text: string): ReadonlyMap<string, readonly string[]> {
  const urls = new Map<string, string[]>();
  for (const pair of text.split(',')) {
    const [name = '', url = ''] = pair.trim().split(/=(.*)/s);
    if (name === '' || !URL.canParse(url)) {
      throw new CodedError(
        'settings_invalid',
        `could not read HINDSIGHT_STATUS_URLS: ${pair} is not name=url`,
      );
    }
    urls.set(name, [...(urls.get(name) ?? []), url.replace(/\/+$/, '')]);
  }
  return urls;
}
