/** A suite's globals are those of its process, which is the suite's alone: there is nothing to make and to unmake. */
export default class NativeEnvironment {
  readonly global = globalThis;
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
