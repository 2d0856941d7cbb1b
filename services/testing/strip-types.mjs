/**
 * How jest gets from TypeScript to JavaScript: as Node does it, so that tests run what services run. Types become blanks,
 * and every line and column stays where it was.
 */
import { stripTypeScriptTypes } from 'node:module';

export default {
  process: (source) => ({ code: stripTypeScriptTypes(source) }),
};
