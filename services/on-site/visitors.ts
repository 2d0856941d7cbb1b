/** The visitor that a call names, in the form in which their events are kept. */
import { identifierBytesMax } from '../../schemas/http/limits.ts';
import { canonicalName } from '../../schemas/identifiers.ts';
import type { LaneKey, Workspace } from '../../schemas/ids.ts';
import { laneKey } from '../../schemas/lanes.ts';
import { isPlaceholder } from '../../schemas/placeholders.ts';

/** undefined: it names nobody. */
export function anonymousIdOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const name = canonicalName(value);
  if (name === '' || Buffer.byteLength(name) > identifierBytesMax || isPlaceholder(name)) return undefined;
  return name;
}

export function laneOf(workspace: Workspace, anonymousId: string): LaneKey {
  return laneKey(workspace, { anonymousId, identifier: null, messageId: '' });
}
