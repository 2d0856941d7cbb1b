/** All views that analysts may use, in the order in which the data dictionary tells of them. */
import type { ViewEntry } from './entry.ts';
import { eventViews } from './events.ts';
import { peopleViews } from './people.ts';
import { messageViews, ruleViews } from './rules.ts';

export const analystViews: readonly ViewEntry[] = [
  ...eventViews,
  ...peopleViews,
  ...ruleViews,
  ...messageViews,
];
