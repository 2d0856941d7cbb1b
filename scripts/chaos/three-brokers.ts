/**
 * A Kafka cluster of three nodes on this machine, each broker and controller (KRaft), from the jars that `npm start` brings.
 * Copies as a cluster in earnest has them: three of everything, two in step before a record counts.
 */
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess, waitUntilReady } from '../../infra/local/child-process.ts';
import type { ProcessSpec, RunningProcess } from '../../infra/local/child-process.ts';
import { bringJars, type Jars } from '../../infra/local/jars.ts';
import { kafkaProperties } from '../../infra/local/kafka.ts';
import { choosePort } from '../../infra/local/network-ports.ts';
import { answersAsKafka } from '../../infra/local/probes.ts';
import { javaCommand } from '../../infra/local/requirements.mjs';

const NODES = 3;
const HEAP_MEGABYTES_MAX = 256;
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 30_000;
/** Three of them on one machine. */
const SMALL = { 'log.cleaner.dedupe.buffer.size': 16_777_216, 'num.io.threads': 2 };

interface Node {
  readonly spec: ProcessSpec;
  readonly address: string;
  running: RunningProcess | undefined;
}

export class ThreeBrokers {
  readonly #folder: string;
  readonly #nodes: readonly Node[];

  private constructor(folder: string, nodes: readonly Node[]) {
    this.#folder = folder;
    this.#nodes = nodes;
  }

  /** Resolves when all of them answer. @param root of the checkout. */
  static async start(root: string): Promise<ThreeBrokers> {
    const jars = await bringJars({
      root,
      env: process.env,
      report: () => undefined,
      signal: new AbortController().signal,
    });
    const folder = await mkdtemp(join(tmpdir(), 'hindsight-brokers-'));
    const ports: { readonly broker: number; readonly controller: number }[] = [];
    for (let node = 0; node < NODES; node += 1) {
      ports.push({ broker: await choosePort(undefined), controller: await choosePort(undefined) });
    }
    const voters = ports.map(({ controller }, at) => `${String(at + 1)}@127.0.0.1:${String(controller)}`);
    const nodes = await Promise.all(
      ports.map(async ({ broker, controller }, at) => {
        const id = at + 1;
        const home = join(folder, `node-${String(id)}`);
        const log = await formattedLog(jars, home, id);
        const settings = join(home, 'server.properties');
        const ports = { port: broker, controllerPort: controller };
        const node = { id, ...ports, voters: voters.join(), log, copies: NODES, inSyncMin: 2 };
        await writeFile(settings, kafkaProperties(node, SMALL));
        const spec = specOf({ root, jars, home, settings, id, broker });
        return { spec, address: `127.0.0.1:${String(broker)}`, running: undefined };
      }),
    );
    const brokers = new ThreeBrokers(folder, nodes);
    try {
      await brokers.startAll();
    } catch (error) {
      await brokers.close();
      throw error;
    }
    return brokers;
  }

  /** host:port,… of all of them. */
  get addresses(): string {
    return this.#nodes.map(({ address }) => address).join();
  }

  get count(): number {
    return NODES;
  }

  /** kill -9. @param at 0 to 2. */
  async kill(at: number): Promise<void> {
    const node = this.#node(at);
    const { running } = node;
    node.running = undefined;
    if (running === undefined) return;
    process.kill(running.pid, 'SIGKILL');
    await running.ended;
  }

  /** Resolves when it answers. */
  async start(at: number): Promise<void> {
    const node = this.#node(at);
    node.running = startProcess(node.spec);
    await waitUntilReady(node.spec, node.running);
  }

  async killAll(): Promise<void> {
    await Promise.all(this.#nodes.map((_, at) => this.kill(at)));
  }
  async startAll(): Promise<void> {
    await Promise.all(this.#nodes.map((_, at) => this.start(at)));
  }

  /** SIGTERM to all at once, as who restarts a whole cluster does. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.#nodes.map(async (node) => {
        const { running } = node;
        node.running = undefined;
        await running?.stop();
      }),
    );
  }

  async close(): Promise<void> {
    await this.killAll();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #node(at: number): Node {
    const node = this.#nodes[at];
    if (node === undefined) throw new RangeError(`there is no node ${String(at)}`);
    return node;
  }
}

/** What formatting leaves is the same for every node but for two lines: which node it is, and which folder. */
async function formattedLog(jars: Jars, home: string, id: number): Promise<string> {
  const log = join(home, 'log');
  await mkdir(home, { recursive: true });
  await cp(jars.formattedLog, log, { recursive: true });
  const meta = join(log, 'meta.properties');
  const text = readFileSync(meta, 'utf8')
    .replace(/^node\.id=.*$/m, `node.id=${String(id)}`)
    .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`);
  await writeFile(meta, text);
  return log;
}

function specOf(place: {
  readonly root: string;
  readonly jars: Jars;
  readonly home: string;
  readonly settings: string;
  readonly id: number;
  readonly broker: number;
}): ProcessSpec {
  const { root, jars, home, settings, id, broker } = place;
  return {
    name: `kafka-${String(id)}`,
    command: javaCommand(process.env),
    args: [
      ...[`-Dhindsight.part=kafka-${String(id)}`, `-Xmx${String(HEAP_MEGABYTES_MAX)}m`],
      ...['-XX:+UseSerialGC', '-XX:-UsePerfData'],
      `-Dlog4j2.configurationFile=${join(root, 'infra/local/kafka-log4j2.properties')}`,
      ...['-cp', jars.kafka, 'kafka.Kafka', settings],
    ],
    cwd: home,
    env: { ...process.env, NODE_OPTIONS: '' },
    logFile: join(home, 'kafka.log'),
    part: true,
    readyMsMax: READY_MS_MAX,
    stopMsMax: STOP_MS_MAX,
    isReady: () => answersAsKafka('127.0.0.1', broker),
  };
}
