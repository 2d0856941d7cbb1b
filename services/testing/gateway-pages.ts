/** What pages load from the gateway, over fakes. */
import type { Workspace } from '../../schemas/ids.ts';
import type { DefinitionsStore } from '../app/plugin.ts';
import type { ServerOptions } from '../gateway/server.ts';
import type { PageSigns } from '../on-site/plugin.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';

export function browserOf(
  keys: ServerOptions['browser']['keys'],
  signs: PageSigns,
  {
    publicUrl,
    definitions,
  }: { readonly publicUrl: string | undefined; readonly definitions: DefinitionsStore },
): ServerOptions['browser'] {
  const loaded = (of: Workspace, page: string | null): void => {
    signs.note(of, 'loaded', { page });
  };
  return { keys, publicUrl, loaded, consent: (of) => settingsOf(definitions, of).consent };
}
