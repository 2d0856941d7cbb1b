/**
 * Runs a script on the Node that node-runtime.mjs chooses: in this process if it is that one already, else in a child,
 * which gets this process's signals and whose exit code becomes this process's.
 *
 *   npm ──▶ node 20: this file ──▶ node 24: the script, end-with-parent.mjs
 *
 * No process stays behind: whichever of the three is killed, the ones after it end.
 * Plain JavaScript for Node 20, since any Node runs it.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import module from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chooseNode } from './node-runtime.mjs';

const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url);

/**
 * @param run {script, args, options}: a file of JavaScript or TypeScript, what it is given, and options of Node itself.
 * Does not return when the script runs in a child. Without a Node to run on: a sentence on standard error, and exit 1.
 */
export async function runOnNode(root, { script, args, options = [] }) {
  const chosen = chooseNode(root);
  if (chosen.fault !== undefined) {
    console.error(chosen.fault);
    process.exit(1);
  }
  setEnvironment(root, chosen.file);
  if (process.env.npm_lifecycle_event !== undefined) await import(END_WITH_PARENT);
  if (chosen.file === process.execPath && options.length === 0) {
    module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
    process.argv = [process.execPath, script, ...args];
    await import(pathToFileURL(script));
    return;
  }
  const nodeOptions = [...options, '--import', END_WITH_PARENT.href];
  process.exit(await runInChild(chosen.file, [...nodeOptions, script, ...args]));
}

/** For everything below: tools that look for `node` find the same one, and each file is compiled once, not at each start. */
function setEnvironment(root, file) {
  if (file !== process.execPath) process.env.PATH = [dirname(file), process.env.PATH].join(delimiter);
  // One entry for each source file and version of Node; where it cannot be written Node does without.
  process.env.NODE_COMPILE_CACHE ??= join(root, '.parts', 'compile-cache');
}

/** @returns its exit code; of one that a signal ended, what shells say: 128 and the signal's number. */
function runInChild(file, args) {
  const child = spawn(file, args, { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done(code ?? 128 + constants.signals[signal]));
  });
}
