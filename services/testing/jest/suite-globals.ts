/**
 * What a suite gets for `@jest/globals`: native-runtime.ts leads the import here, and has put in before what this suite
 * is run with. Types come from the package, as ever.
 */
import type * as Globals from '@jest/globals';
import { ModuleMocker } from 'jest-mock';

type Circus = Omit<typeof Globals, 'jest'>;

export let afterAll: Circus['afterAll'];
export let afterEach: Circus['afterEach'];
export let beforeAll: Circus['beforeAll'];
export let beforeEach: Circus['beforeEach'];
export let describe: Circus['describe'];
export let expect: Circus['expect'];
export let it: Circus['it'];
export let test: Circus['test'];

/** Before the suite is loaded. */
export function setSuiteGlobals(circus: Circus): void {
  ({ afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } = circus);
}

const mocker = new ModuleMocker(globalThis);
/** Where circus looks for it. */
const timeoutOfSuite = Symbol.for('TEST_TIMEOUT_SYMBOL');

/** Of jest's object what needs neither modules that can be replaced nor a clock that can: nobody replaces either here. */
export const jest = {
  setTimeout: (ms: number) => {
    Object.assign(globalThis, { [timeoutOfSuite]: ms });
  },
  fn: mocker.fn.bind(mocker),
  spyOn: mocker.spyOn.bind(mocker),
  restoreAllMocks: () => {
    mocker.restoreAllMocks();
  },
};
