/** Something was said of an object by itself: what that changes of somebody who belongs to it. Pure. */
import type { Effect } from './effects.ts';
import { lookAt } from './look-at.ts';
import { objectLinks } from './object-links.ts';
import { caughtUp } from './pass-time.ts';
import type { Profile } from './profile.ts';
import { withObjects } from './relationships.ts';
import type { Person } from './state.ts';
import type { Decision, Subject } from './subject.ts';

/** What was said last. */
export interface ObjectCause {
  /** When it was received, ms. */
  readonly at: number;
  readonly messageId: string;
}

/** All that the person belongs to is looked at: what else was said meanwhile comes along. undefined: nothing changes. */
export function decideObjects(asked: Subject, person: Person, cause: ObjectCause): Decision | undefined {
  const stored = asked.profile();
  const own = stored.relationships ?? [];
  const { relationships, isOther, refused } = withObjects(own, asked.objectOf ?? (() => undefined));
  if (relationships === own && refused.length === 0) return undefined;
  const { subject, effects, patternSteps } = caughtUp({ ...asked, person });
  const before = subject.person ?? person;
  const version = stored.version + (isOther ? 1 : 0);
  const profile: Profile = { ...stored, relationships, version };
  const { at, messageId } = cause;
  const { firstSeenAt } = before;
  const look = lookAt({ ...subject, profile: () => profile }, before);
  if (before.stamp !== subject.rules.stamp) look.catchUpWithDefinitions();
  if (isOther) {
    const turns = look.turnSegments(look.segmentsThatUseProfile(), 'call', messageId);
    look.startJourneysOf(turns, messageId);
  }
  const told: Effect[] = [...effects, ...objectLinks(own, relationships)];
  if (refused.length > 0) {
    const what = { what: 'relationships', names: refused, at, messageId, anonymousId: null } as const;
    told.push({ type: 'left_out', ...what });
  }
  if (isOther) {
    const alive = { state: 'alive', absorbedInto: null, at, profile, firstSeenAt } as const;
    told.push({ type: 'profile_changed', ...alive });
  }
  return {
    person: look.finish(before),
    profile,
    effects: [...told, ...look.effects],
    patternSteps: patternSteps + look.patterns.taken,
  };
}
