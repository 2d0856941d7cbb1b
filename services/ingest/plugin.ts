/** The routes that take calls about visitors and people. Mounted by the gateway, which reads bodies to Buffers. */
import type { FastifyInstance } from 'fastify';
import type { IngestOptions } from './request.ts';
import { mountPipelines } from './pipelines-routes.ts';
import { mountSplit } from './split-route.ts';
import { mountTrackV1 } from './track-v1-routes.ts';
import { mountTrackV2 } from './track-v2-routes.ts';

export function ingestPlugin(app: FastifyInstance, options: IngestOptions, done: () => void): void {
  mountTrackV1(app, options);
  mountTrackV2(app, options);
  mountPipelines(app, options);
  mountSplit(app, options);
  done();
}
