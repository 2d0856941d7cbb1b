/** What is attacked: an installation of its own, found again after each start. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findInstallation, waitUntilSettled } from '../sample/installation.ts';
import { startOwnInstallation } from '../chaos/own-installation.ts';
import { startStack, type Keys } from '../../services/testing/stack.ts';
import { StackCalls } from '../../services/testing/stack-calls.ts';

/** Where an analyst asks. */
export interface Database {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Target {
  /** http://127.0.0.1:port; another one after a start. */
  readonly http: string;
  /** Of workspace `default`, with the key that makes others. */
  readonly keys: Keys;
  readonly clickhouse: Database;
  /** Process ids of what the installation started, by name. */
  readonly processes: Readonly<Record<string, number>>;
  /** Stops everything cleanly and starts it again on what it kept. */
  restart(): Promise<void>;
  /** Until every call that was acknowledged has had its whole effect. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const settleMsMax = 300_000;

/** `npm start` in a folder of its own, with its own broker, registry and engine. */
export async function ownTarget(env: Readonly<Record<string, string>>): Promise<Target> {
  const own = await startOwnInstallation(env);
  const { dataFolder } = own;
  const found = () => findInstallation(dataFolder, 'default');
  return {
    get http() {
      return found().http;
    },
    get keys() {
      return found().keys;
    },
    get clickhouse() {
      const { origin, username, password } = new URL(found().clickhouse);
      const names = [username, password].map(decodeURIComponent);
      return { url: origin, user: names[0] ?? '', password: names[1] ?? '', database: 'hindsight' };
    },
    get processes() {
      const text = readFileSync(join(dataFolder, 'processes.json'), 'utf8');
      return JSON.parse(text) as Record<string, number>; // the launcher's
    },
    restart: () => own.restart(),
    settled: () => waitUntilSettled(found(), settleMsMax),
    stop: async () => {
      await own.stop();
    },
  };
}

/** The five services on the parts of a test run. */
export async function stackTarget(env: Readonly<Record<string, string>>): Promise<Target> {
  const stack = await startStack({ env });
  const calls = new StackCalls(stack);
  return {
    http: stack.http,
    keys: stack.credentials.default,
    clickhouse: stack.clickhouse,
    get processes() {
      return stack.processes;
    },
    restart: async () => {
      const behind = ['merger', 'identity', 'trigger', 'in-app', 'sink'] as const;
      await Promise.all(behind.map((name) => stack.restart(name)));
      await stack.restart('gateway');
    },
    settled: () => calls.settled(),
    stop: () => stack.stop(),
  };
}
