/**
 * What a machine must have before anything of ours can run, each missing thing as one sentence that says what to do.
 * Plain JavaScript, since it runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NODE_MAJOR_MIN = 20;
export const JAVA_MAJOR_MIN = 17;

/**
 * @param need {java}: whether a part that runs on Java will be started.
 * @returns the first fault as a sentence, or undefined.
 */
export function missingRequirement(root, env, need) {
  return nodeFault() ?? (need.java ? (javaFault(env) ?? mavenFault(root, env)) : undefined);
}

export function javaCommand(env) {
  return env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
}

/** Where the downloaded jars lie. The name follows what is downloaded, so a change of versions is a new folder. */
export function jarsFolder(root) {
  const versions = createHash('sha256').update(readFileSync(join(root, 'infra/local/pom.xml')));
  return join(root, '.parts', `jars-${versions.digest('hex').slice(0, 12)}`);
}

function nodeFault() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return undefined;
  return `Hindsight needs Node ${NODE_MAJOR_MIN} or later, and this is ${process.versions.node}: install a newer Node and start again.`;
}

function javaFault(env) {
  const java = javaCommand(env);
  const wanted = `install a JDK ${JAVA_MAJOR_MIN} or later (on Debian: apt install openjdk-${JAVA_MAJOR_MIN}-jdk-headless), or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to use parts of your own.`;
  const { error, stderr } = spawnSync(java, ['-version'], { env, encoding: 'utf8' });
  if (error !== undefined) return `Hindsight needs Java, and ${java} cannot be run: ${wanted}`;
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr) ?? [];
  const major = Number(first === '1' ? second : first);
  if (major >= JAVA_MAJOR_MIN) return undefined;
  return `Hindsight needs Java ${JAVA_MAJOR_MIN} or later, and ${java} is ${stderr.split('\n')[0]}: ${wanted}`;
}

function mavenFault(root, env) {
  if (existsSync(jarsFolder(root))) return undefined;
  if (spawnSync('mvn', ['-v'], { env }).error === undefined) return undefined;
  return 'Hindsight needs Maven to download Kafka and the schema registry, and mvn cannot be run: install Maven (on Debian: apt install maven), or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to use parts of your own.';
}
