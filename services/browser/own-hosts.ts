/**
 * Customer.io's client falls back on Customer.io's hosts: before it has its settings, if it is refused them, if the
 * address of its script has a path in front or a key that it cannot read, and where an address of a page asks for its
 * debugging. A visitor of a shop is to be told to nobody but us, so each of those hosts is replaced by the address that
 * the script was loaded from. That is found out where it runs: what we serve is the same for everybody, and its tag too.
 * Pure.
 */

/** A literal of the scripts; `localhost` is the plugin's own test environment and stays. */
const HOST =
  /"(https?:\/\/)?(cdp\.customer\.io|(?:[a-z]+\.)*gist\.build|cdnjs\.cloudflare\.com)(?::\d+)?((?:\/[^"]*)?)"/g;
const AT = 'hindsightAddress';
const ADDRESS = `function(){var own=document.currentScript,found=/^(.*)\\/v1\\/analytics-js\\//.exec(own&&own.src||"");return found?found[1]:location.origin}()`;
/** For browsers of 2016 the client asks a third party for what they lack: they go without. */
const NO_SCRIPT = '"data:text/javascript,"';

/** @param script of the client's package; without such a host it is returned as it is. */
export function withOwnHosts(script: string): string {
  const replaced = script.replace(
    HOST,
    (_literal, scheme: string | undefined, host: string, path: string) => {
      if (host === 'cdnjs.cloudflare.com') return NO_SCRIPT;
      const base = scheme === undefined ? `${AT}.replace(/^https?:\\/\\//,"")` : AT;
      // The plugin's renderer lies at our root; its version is part of their address of it.
      const rest = host === 'renderer.gist.build' ? '' : path;
      return rest === '' ? `(${base})` : `(${base}+"${rest}")`;
    },
  );
  if (replaced === script) return script;
  return `/* Changed by Hindsight: its hosts are the address that it is loaded from. */\n!function(${AT}){${replaced}\n}.call(this,${ADDRESS});\n`;
}
