/** What it means for people when a check of a message fails. */
import type { Check } from './decide/judge.ts';

export const checkWords: Readonly<Record<Check['reason'], string>> = {
  not_running: 'the message is a draft or stopped: store it with "state": "running"',
  outside_schedule: 'its schedule has not begun, or is over',
  page: 'the page asked about (page=, path=) is none of its pages',
  audience: 'the visitor is not in its audience: audience has each condition',
  on_screen: 'it is on the visitor’s screen now',
  identified: 'the visitor is known by now, and messages are for those whom nobody knows',
  consent_withdrawn: 'the visitor has withdrawn consent',
  bot: 'it is a program that reads pages, by the name of its browser (agent=)',
  dismissed: 'the visitor has dismissed it, which ends it',
  interacted: 'the visitor has clicked it or sent its form, which ends it',
  snoozed: 'the visitor has put it off',
  frequency: 'the visitor has seen it as often as its frequency says',
  frequency_gap: 'the visitor saw it too lately for the gap of its frequency',
  suppressed: 'the visitor did what suppress names: an order within 24 hours where it is not said',
  session_cap: 'the visitor has seen as many in this session as caps.session says',
  day_cap: 'the visitor has seen as many today as caps.day says',
  cap_gap: 'the visitor saw a message too lately for caps.gap',
  another_message: 'another message is on the visitor’s screen',
  visitor_full: 'as much is kept of this visitor as may be',
  text_too_costly: 'its texts take more work to fill in than a message may',
  text_unfillable: 'its texts cannot be filled in for this visitor',
  held_out:
    'the visitor is of the share that never sees it, always the same visitors: to try it, store it with "holdout": 0, or be another visitor (a private window)',
};
