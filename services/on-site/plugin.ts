/** The routes of on-site messages (contract, *On-site messages*). Mounted by the gateway. */
import type { FastifyInstance } from 'fastify';
import { mountCheck } from './check-route.ts';
import { mountClient } from './client-routes.ts';
import { mountExplain } from './explain-route.ts';
import { Looks } from './looks.ts';
import { answerPolls, type AnswerPoll } from './polls.ts';
import type { OnSiteOptions } from './ports.ts';
import { mountWebPlugin } from './web-plugin-routes.ts';

export { PageSigns } from './page-signs.ts';
export { consentRecord } from './consent-record.ts';
export { pollsPath, type AnswerPoll } from './polls.ts';
export type { InAppCall, InAppCalls, InAppView, OnSiteOptions } from './ports.ts';

/** What pages ask: routes to mount, and what answers polls that do not come by them. */
export interface OnSitePages {
  readonly plugin: (app: FastifyInstance, options: object, done: () => void) => void;
  readonly answerPoll: AnswerPoll;
}

export function onSitePages(options: OnSiteOptions): OnSitePages {
  const looks = new Looks(options);
  const answerPoll = answerPolls(options, looks);
  const plugin: OnSitePages['plugin'] = (app, _options, done) => {
    mountClient(app, options, answerPoll);
    mountWebPlugin(app, options, looks);
    mountExplain(app, options);
    mountCheck(app, options);
    done();
  };
  return { plugin, answerPoll };
}
