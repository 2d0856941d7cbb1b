/** A page that asks for the settings of a key that lets it in no more is seen as calls are, of the key's workspace. */
import type { BrowserOptions } from '../browser/plugin.ts';
import type { IngestOptions } from '../ingest/plugin.ts';
import { keyEndedText } from '../runtime/unauthorized.ts';

const route = 'GET /v1/projects/:write_key/settings';
const unknownText = 'Unauthorized request: the credentials are not valid';

export function turnedAwayPages({
  keys,
  watch,
}: Pick<IngestOptions, 'keys' | 'watch'>): BrowserOptions['turnedAway'] {
  return (writeKey, page) => {
    const shown = keys.shown('write', writeKey);
    const meta =
      shown === undefined ? { error: unknownText } : ({ error: keyEndedText, code: 'key_ended' } as const);
    watch?.saw([
      {
        at: Date.now(),
        workspace: shown?.key.workspace ?? null,
        key: shown?.key.id ?? null,
        route,
        status: 401,
        answered: 'dropped',
        reason: meta.code ?? 'unauthorized',
        message: page === null ? meta.error : `${meta.error}; the page is of ${page.slice(0, pageCharsMax)}`,
        type: null,
        name: null,
        messageId: null,
        anonymousId: null,
        identifier: null,
      },
    ]);
    return meta;
  };
}
const pageCharsMax = 200;
