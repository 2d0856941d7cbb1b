/**
 * How jest loads a suite: as Node loads a service, with the same loader and the same compile cache. Jest by itself makes
 * a context of `node:vm` for each suite and compiles everything the suite leads to in it anew. What keeps suites apart is
 * that each has a process of its own (workerIdleMemoryLimit in jest.config.ts).
 *
 * Jest calls what is here by these names (jest-runner, jest-circus/runner).
 */
import { createRequire, flushCompileCache, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import '../../../infra/local/end-with-parent.mjs'; // a worker whose jest was killed has nobody to tell
import { setSuiteGlobals } from './suite-globals.ts';

const suiteGlobals = new URL('suite-globals.ts', import.meta.url).href;
const require = createRequire(import.meta.url);

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === '@jest/globals' ? { url: suiteGlobals, shortCircuit: true } : next(specifier, context),
});

export default class NativeRuntime {
  setGlobalsForRuntime(globals: Parameters<typeof setSuiteGlobals>[0]): void {
    setSuiteGlobals(globals);
  }
  unstable_shouldLoadAsEsm(): boolean {
    return true;
  }
  async unstable_importModule(path: string): Promise<unknown> {
    return await import(pathToFileURL(path).href);
  }
  requireModule(path: string): unknown {
    return require(path);
  }
  /** Circus. */
  requireInternalModule(path: string): unknown {
    return require(path);
  }
  /** Line and column are those of the source: types become blanks. */
  getSourceMaps(): ReadonlyMap<string, string> {
    return new Map();
  }
  getAllCoverageInfoCopy(): undefined {
    return undefined;
  }
  enterTestCode(): void {
    // Jest looks here who asks for a module; Node does not.
  }
  leaveTestCode(): void {
    // As above.
  }
  /** A worker is ended by a signal, and Node would write what it has compiled at an exit only. */
  teardown(): void {
    flushCompileCache();
  }
}
