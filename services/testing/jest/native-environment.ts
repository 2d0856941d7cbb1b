let suites = 0;

/** A suite's globals are those of its process, which is the suite's alone: there is nothing to make and to unmake. */
export default class NativeEnvironment {
  readonly global = globalThis;
  constructor() {
    suites += 1;
    if (suites > 1) throw new Error(NOT_ALONE);
  }
  getVmContext(): null {
    return null;
  }
  setup(): Promise<void> {
    return Promise.resolve();
  }
  teardown(): Promise<void> {
    return Promise.resolve();
  }
}

const NOT_ALONE =
  'each suite needs a process of its own: run jest without --runInBand (-i) and with at least two workers';
