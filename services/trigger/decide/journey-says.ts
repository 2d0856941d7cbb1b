/** What a journey would do with a person, in a sentence: what `explain` and a rehearsal show to people. Pure. */
import { skipReasons } from '../../../schemas/skip-reasons.ts';
import type { EventMatcher } from '../../rules/condition.ts';
import { eventText } from '../../rules/says.ts';
import { heldOutSince, type Admission } from './admission.ts';
import type { Run } from './runs.ts';
import type { JourneyRule } from './workspace-rules.ts';

export interface AskedOfJourney {
  readonly rule: JourneyRule;
  readonly run: Run | undefined;
  readonly admission: Admission;
  /** It is a draft or stopped, and is not asked as if it ran. */
  readonly isIdle: boolean;
  /** A stall of the run is under way, and says when it fires. */
  readonly isArmed: boolean;
}

export function journeySays({ rule, run, admission, isIdle, isArmed }: AskedOfJourney): string {
  if (isIdle) return `the journey does not run (${rule.journey.state}), so nothing leads to an entry`;
  if (admission.type === 'entered')
    return `if something triggered the journey at this moment, the person would enter; ${awaited(rule, isArmed)}`;
  const why = ofHeldOut(run, admission.reason) ?? plain(skipReasons[admission.reason]);
  return `if something triggered the journey at this moment, the person would not enter: ${why}`;
}

/** Whether there is a trigger is another question than whether it would lead to an entry. */
function awaited({ journey: { trigger, key } }: JourneyRule, isArmed: boolean): string {
  if (trigger.type !== 'stall') return 'whether something does is not asked here';
  if (isArmed) return 'a stall is under way, and triggers it when it fires';
  const [a, b] = [trigger.of, trigger.without].map((matcher: EventMatcher) => eventText(matcher));
  return `no stall ${key === null ? '' : 'of this run '}is under way: no ${String(a)} waits for ${String(b)}`;
}

/** They count as if they had entered, so that both groups are asked alike: at most times it is the frequency that says no. */
function ofHeldOut(run: Run | undefined, reason: string): string | undefined {
  const since = reason !== 'frequency' || run === undefined ? null : heldOutSince(run);
  if (since === null) return undefined;
  return `they have been held out for comparison since ${new Date(since).toISOString()} and have never entered; whoever is held out counts as if they had entered, so frequency says no as it would to the others`;
}

/** The first sentence, to go on with. */
function plain(text: string): string {
  const [first = ''] = text.split(/\.(?: |$)/);
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}
