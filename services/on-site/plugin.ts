/** The routes of on-site messages (contract, *On-site messages*). Mounted by the gateway. */
import type { FastifyInstance } from 'fastify';
import { mountCheck } from './check-route.ts';
import { mountClient } from './client-routes.ts';
import { mountExplain } from './explain-route.ts';
import { Looks } from './looks.ts';
import { mountWebPlugin } from './web-plugin-routes.ts';
import type { OnSiteOptions } from './ports.ts';

export { PageSigns } from './page-signs.ts';
export { consentRecord } from './consent-record.ts';
export type { InAppCall, InAppCalls, InAppView, OnSiteOptions } from './ports.ts';

export function onSitePlugin(app: FastifyInstance, options: OnSiteOptions, done: () => void): void {
  const looks = new Looks(options);
  mountClient(app, options, looks);
  mountWebPlugin(app, options, looks);
  mountExplain(app, options);
  mountCheck(app, options);
  done();
}
