/** Whether people are put into a segment or a rule says who is in it. Read by ingest and trigger; pure. */
import type { DefinitionsView } from './definitions.ts';

export type SegmentType = 'manual' | 'data_driven';

/** undefined: there is no such segment. */
export function segmentTypeOf(
  definitions: Pick<DefinitionsView, 'get'>,
  workspace: string,
  segmentId: string,
): SegmentType | undefined {
  const stored = definitions.get('segment', workspace, segmentId);
  if (stored === undefined) return undefined;
  const { type } = (stored.body ?? {}) as { readonly type?: unknown }; // checked at PUT
  return type === 'manual' ? 'manual' : 'data_driven';
}
