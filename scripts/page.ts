/** `npm run page`: a link to the running installation's own page, which signs its bearer in once, within an hour. */
import { makeSignInCode } from '../services/gateway/sign-in-code.ts';
import { findAppTarget } from './reach/app-target.ts';
import { runCommand } from './reach/run-command.ts';

await runCommand(() => {
  const { url } = findAppTarget('default', undefined);
  const code = makeSignInCode(process.env['HINDSIGHT_DATA'] ?? '.hindsight', Date.now());
  process.stdout.write(`${url}/#code=${code}\n`);
  return Promise.resolve();
});
