/** What `npm start` says when a fault ends it. Pure. */
import { errorEntry } from '../../schemas/errors.ts';
import type { CodedError } from '../../services/runtime/errors.ts';

const ended =
  'This start has ended, and nothing of it runs any more: run npm start again. What is installed and kept stays';

/**
 * What the table of errors advises for a fault that passes is for what runs on; a start that has ended does not, so it says
 * that instead, and beside it what is known of this one fault.
 */
export function endedStart(error: CodedError): string {
  const { message, code, hint, retryable } = error;
  const own = hint === errorEntry(code).todo ? undefined : hint;
  const parts = retryable ? [message, own, ended] : [message, hint];
  return parts.filter((text) => text !== undefined).join('. ');
}
