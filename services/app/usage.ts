/**
 * `GET /v1/usage`: what the workspace takes of what all share, beside what it may, and how many people it has: visitors
 * whom nobody knows are not counted (spec E row 14).
 */
import type { FastifyInstance } from 'fastify';
import { appRoute } from './app-route.ts';
import { inTime } from './in-time.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { AppKeys, Query, WorkspaceUsage } from './ports.ts';

export interface UsageOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly query: Query;
  readonly usage: (workspace: Workspace) => WorkspaceUsage;
}

export function mountUsage(app: FastifyInstance, { keys, query, usage }: UsageOptions): void {
  app.get(
    '/v1/usage',
    appRoute(keys, async ({ workspace }) => ({
      people: await peopleOf(query, workspace),
      ...usage(workspace),
    })),
  );
}

/** null: ClickHouse does not say, or not in time. */
async function peopleOf(query: Query, workspace: Workspace): Promise<number | null> {
  const rows = await inTime(query(PEOPLE, { workspace }));
  return rows === undefined ? null : Number(rows[0]?.['people'] ?? 0);
}

const PEOPLE = 'SELECT count() AS people FROM people WHERE workspace = {workspace:String}';
