/** `GET /v1/usage`: what the workspace takes of what all share, beside what it may. */
import type { FastifyInstance } from 'fastify';
import { appRoute } from './app-route.ts';
import type { Workspace } from '../../schemas/ids.ts';
import type { AppKeys, WorkspaceUsage } from './ports.ts';

export interface UsageOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly usage: (workspace: Workspace) => WorkspaceUsage;
}

export function mountUsage(app: FastifyInstance, { keys, usage }: UsageOptions): void {
  app.get(
    '/v1/usage',
    appRoute(keys, ({ workspace }) => usage(workspace)),
  );
}
