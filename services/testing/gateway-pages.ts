/** What pages load from the gateway, and what they say of consent, over fakes. */
import { localCodecs } from '../../schemas/codec.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { DefinitionsStore } from '../app/plugin.ts';
import type { ServerOptions } from '../gateway/server.ts';
import type { IngestOptions } from '../ingest/plugin.ts';
import { consentRecord, type OnSiteOptions, type PageSigns } from '../on-site/plugin.ts';
import { settingsOf } from '../runtime/workspace-settings.ts';

export function consentInto(intake: IngestOptions['intake']): OnSiteOptions['recordConsent'] {
  const codec = localCodecs().CollectedEvent;
  return async (said) => {
    const key = Buffer.from(`${said.workspace}:a:${said.anonymousId}`);
    const value = codec.encode(consentRecord(said));
    await intake.take([{ topic: 'eventsCollected', workspace: said.workspace, key, value }]);
  };
}

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
