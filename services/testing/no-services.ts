/** What the gateway asks other services, where none of them runs. */
import type { RulesView } from '../app/plugin.ts';
import { inApp } from '../gateway/in-app-view.ts';
import { unavailable } from '../gateway/service-asker.ts';
import type { OnSiteOptions } from '../on-site/plugin.ts';

const noAnswer = (): Promise<never> => Promise.reject(unavailable(inApp, 'it has not started'));
export const noInApp: Pick<OnSiteOptions, 'view' | 'calls'> = {
  view: { poll: noAnswer, why: noAnswer },
  calls: { send: noAnswer, decide: noAnswer },
};

export const noRules: RulesView = {
  explain: () => Promise.resolve({ type: 'not_here' }),
  past: () => Promise.resolve(null),
  replay: () => Promise.resolve({ type: 'rule_unknown' }),
  rehearse: () => Promise.resolve({ type: 'rule_unknown' }),
};
