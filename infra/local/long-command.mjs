/**
 * Runs a command that may take minutes: a line every few seconds says what it does, for how long, and how big it has
 * become. What the command prints is shown only when it fails. Plain JavaScript, since it runs before anything is
 * installed.
 */
import { spawn } from 'node:child_process';

const OUTPUT_CHARS_MAX = 20_000;
const FIRST_LINE_MS = 2_000;
const LINES_EVERY_MS = 5_000;

/** The command ended badly; `output` is the end of what it printed. */
export class CommandFailed extends Error {
  constructor(what, how, output) {
    super(`${what}: the command ${how}`);
    this.output = output;
  }
}

/**
 * @param what said in every line, such as "installing npm packages".
 * @param command {file, args, cwd, env, signal?}
 * @param size called for each line: text such as "12 MB", from all that the command has printed so far; may be async. `whole`, where it is there, at its end.
 * @returns seconds taken, as text
 */
export async function runLong(what, command, size) {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(0)} s`;
  let output = '';
  let said = false;
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: command.env,
    signal: command.signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const take = (chunk) => {
    size.onOutput?.(String(chunk));
    output = (output + String(chunk)).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const say = async () => {
    said = true;
    console.log(`  ${what}: ${seconds()}, ${await size.text()}`);
  };
  const first = setTimeout(() => void say(), FIRST_LINE_MS);
  const further = setInterval(() => void say(), LINES_EVERY_MS);
  try {
    const how = await ended(child);
    if (how !== undefined) throw new CommandFailed(what, how, output);
  } finally {
    clearTimeout(first);
    clearInterval(further);
  }
  if (said) console.log(`  ${what}: done in ${seconds()}, ${await (size.whole ?? size.text)()}`);
  return seconds();
}

/** @returns undefined for success, else how it ended. */
function ended(child) {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      done(code === 0 ? undefined : code === null ? `was ended by ${signal}` : `ended with code ${code}`);
    });
  });
}
