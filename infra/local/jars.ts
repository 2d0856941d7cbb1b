/**
 * Brings Kafka and the schema registry, as jars from Maven Central, into `.parts` of the checkout: into a folder of
 * another name first and renamed when complete, so a killed download leaves nothing that looks whole; under a lock, so
 * two starts at once download once.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { CodedError } from '../../services/runtime/errors.ts';
import { withLock } from './lock.mjs';
import { CommandFailed, runLong, type SizeTeller } from './long-command.mjs';
import { jarsFolder, javaCommand } from './requirements.mjs';

export interface Jars {
  /** For java -cp. */
  readonly kafka: string;
  readonly registry: string;
  /** What an empty, formatted log folder of a broker holds. */
  readonly formattedLog: string;
}

export interface JarsOptions {
  /** The checkout. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly report: (line: string) => void;
  /** Ends the download. */
  readonly signal: AbortSignal;
}

/** @throws CodedError `download_failed`. */
export async function bringJars(options: JarsOptions): Promise<Jars> {
  const folder = jarsFolder(options.root);
  if (!existsSync(folder)) {
    await withLock(
      join(options.root, '.parts', 'jars.lock'),
      ({ pid }) => {
        options.report(`  waiting for process ${String(pid)}, which downloads Kafka and the schema registry`);
      },
      async () => {
        if (!existsSync(folder)) await download(options, folder);
      },
    );
  }
  return {
    kafka: join(folder, 'kafka', '*'),
    registry: join(folder, 'registry', 'apicurio-registry-app-3.0.9-runner.jar'),
    formattedLog: join(folder, 'formatted-log'),
  };
}

async function download(options: JarsOptions, folder: string): Promise<void> {
  removeLeftovers(dirname(folder));
  const draft = `${folder}.${String(process.pid)}.part`;
  mkdirSync(draft, { recursive: true });
  try {
    await runMaven(options, draft);
    // The archive brings headers of its format along as files.
    rmSync(join(draft, 'registry', 'PaxHeaders.X'), { recursive: true, force: true });
    await formatLog(options, draft);
    renameSync(draft, folder);
  } catch (cause) {
    if (!(cause instanceof CommandFailed)) throw cause;
    throw new CodedError(
      'download_failed',
      `could not bring Kafka and the schema registry: ${cause.message}`,
      {
        cause,
        hint: `Check the network, then start again: what is downloaded already is kept. Maven says:\n${tail(cause.output)}`,
      },
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Downloads that were killed. Called with the lock held, so none of them is anybody's. */
function removeLeftovers(parts: string): void {
  for (const name of readdirSync(parts)) {
    if (name.endsWith('.part')) rmSync(join(parts, name), { recursive: true, force: true });
  }
}

async function runMaven({ root, env, signal }: JarsOptions, into: string): Promise<void> {
  // Maven 3.8 does not read MAVEN_ARGS yet; later ones would take them twice.
  const { MAVEN_ARGS: mavenArgs = '', ...rest } = env;
  const args = [
    ...mavenArgs.split(/\s+/).filter((argument) => argument !== ''),
    '--batch-mode',
    '--strict-checksums',
    '--file',
    join(root, 'infra/local/pom.xml'),
    `-Dinto=${into}`,
    'process-resources',
  ];
  await runLong(
    'bringing Kafka and the schema registry',
    { file: 'mvn', args, cwd: root, env: rest, signal },
    downloadedSize(),
  );
}

/** Formatting takes a JVM and a second, and its outcome is the same for every broker of one node: done once. */
async function formatLog({ env, signal }: JarsOptions, draft: string): Promise<void> {
  const log = join(draft, 'formatted-log');
  const settings = join(draft, 'format.properties');
  writeFileSync(
    settings,
    [
      'process.roles=broker,controller',
      'node.id=1',
      'controller.quorum.voters=1@127.0.0.1:9093',
      'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
      'controller.listener.names=CONTROLLER',
      `log.dirs=${log}`,
    ].join('\n'),
  );
  const clusterId = randomBytes(16).toString('base64url');
  const args = [
    '-cp',
    join(draft, 'kafka', '*'),
    'kafka.tools.StorageTool',
    'format',
    `--cluster-id=${clusterId}`,
    '--config',
    settings,
  ];
  await runLong(
    'formatting an empty log',
    { file: javaCommand(env), args, cwd: draft, env, signal },
    { text: () => 'a few kB' },
  );
  rmSync(settings);
}

/** Adds up what Maven says that it has downloaded: `Downloaded from central: https://… (12 MB at 3.4 MB/s)`. */
function downloadedSize(): SizeTeller {
  let line = '';
  let bytes = 0;
  const megabytes = () => `${(bytes / 1e6).toFixed(0)} MB`;
  return {
    onOutput: (text) => {
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const complete of lines) bytes += bytesOf(complete);
    },
    text: () => (bytes === 0 ? 'looking for what is there already' : `${megabytes()} of about 165`),
    whole: () => (bytes === 0 ? 'all of it was in the local Maven repository' : megabytes()),
  };
}

function bytesOf(line: string): number {
  const [, amount, unit] = /^.*Downloaded from .*\(([\d.]+) (B|kB|MB) at /.exec(line) ?? [];
  return Number(amount ?? 0) * (unit === 'MB' ? 1e6 : unit === 'kB' ? 1e3 : 1);
}

const OUTPUT_LINES_SHOWN = 8;

function tail(output: string): string {
  const lines = output.split('\n').filter((line) => line.includes('ERROR'));
  return lines
    .slice(0, OUTPUT_LINES_SHOWN)
    .map((line) => `  | ${line}`)
    .join('\n');
}
