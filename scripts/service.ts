/**
 * Runs one service in this process: `npm run service -- merger`. SIGTERM stops it and exits 0 within 5 s; a fault that
 * nothing handles is logged and exits 1. Under a launcher (HINDSIGHT_PARENT_PID) the terminal's Ctrl-C is the
 * launcher's affair, and a launcher that is gone ends the service.
 */
import { flushCompileCache } from 'node:module';
import { argv, env, exit } from 'node:process';
import { fileURLToPath } from 'node:url';
import { unknownSettings } from '../infra/local/unknown-settings.ts';
import { createLogger } from '../services/runtime/logger.ts';

interface RunningService {
  stop(): Promise<void>;
}
type Service = (env: NodeJS.ProcessEnv) => Promise<RunningService>;

const gateway = async (): Promise<Service> => {
  const { run } = await import('../services/gateway/main.ts');
  return async (settings) => {
    const running = await run(settings);
    return { stop: () => running.close() };
  };
};

const services: Readonly<Record<string, () => Promise<Service>>> = {
  gateway,
  ingest: gateway, // it has no process of its own
  merger: async () => (await import('../services/merger/main.ts')).run,
  identity: async () => (await import('../services/identity/main.ts')).run,
  trigger: async () => (await import('../services/trigger/main.ts')).run,
  'in-app': async () => (await import('../services/in-app/main.ts')).run,
  sink: async () => (await import('../services/sink/main.ts')).run,
};
/** The launcher kills after 5 s. */
const stopMsMax = 4_500;
const parentPollMs = 500;

const name = argv[2] ?? '';
const load = services[name];
if (load === undefined) {
  console.error(`could not run service ${name}: there are ${Object.keys(services).join(', ')}`);
  exit(2);
}

// What a service keeps is events and keys: nothing of it is for others of this machine.
process.umask(0o077);
const logger = createLogger(name);
const underLauncher = env.HINDSIGHT_PARENT_PID !== undefined;
/** What runs; undefined while it is starting. */
const state: { running?: RunningService; stopping: boolean } = { stopping: false };

process.on('uncaughtException', (error) => {
  logger.error({ error }, `could not go on: ${name} ends`);
  exit(1);
});
process.on('SIGTERM', () => void stop(0));
for (const signal of ['SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!underLauncher) void stop(0);
  });
}
if (underLauncher) {
  const parent = Number(env.HINDSIGHT_PARENT_PID);
  setInterval(() => {
    if (process.ppid !== parent) void stop(1);
  }, parentPollMs).unref();
}

const root = fileURLToPath(new URL('..', import.meta.url));
// Its launcher has said so once for all of them.
if (!underLauncher) for (const line of unknownSettings(root, env)) logger.warn({}, line);

const run = await load();
state.running = await run(env);
// A process that is killed would keep nothing of what it compiled for the next.
flushCompileCache();
// The stop may have come while it was starting.
if (state.stopping) await finish(0);

async function stop(code: number): Promise<void> {
  if (state.stopping) return;
  state.stopping = true;
  setTimeout(() => {
    logger.error({}, `could not stop ${name} in ${String(stopMsMax)} ms: it ends as it is`);
    exit(1);
  }, stopMsMax).unref();
  if (state.running !== undefined) await finish(code);
}

async function finish(code: number): Promise<void> {
  await state.running?.stop();
  exit(code);
}
