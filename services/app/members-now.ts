/** How many are in segments now, as ClickHouse has it. */
import { inTime } from './in-time.ts';
import type { Query } from './ports.ts';

/** By id; undefined: it could not be had in time. */
export async function membersNow(
  query: Query,
  workspace: string,
  segmentIds: readonly string[],
): Promise<ReadonlyMap<string, number> | undefined> {
  if (segmentIds.length === 0) return new Map();
  const rows = await inTime(query(MEMBERS, { workspace, segments: segmentIds }));
  if (rows === undefined) return undefined;
  const found = new Map(rows.map((row) => [String(row['segment_id']), Number(row['members'])]));
  return new Map(segmentIds.map((id) => [id, found.get(id) ?? 0]));
}

const MEMBERS = `
  SELECT segment_id, count() AS members FROM segment_memberships
  WHERE workspace = {workspace:String} AND segment_id IN {segments:Array(String)} GROUP BY segment_id`;
