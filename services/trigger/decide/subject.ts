/** Whom something is decided about, and what comes of it. */
import type { Effect } from './effects.ts';
import type { HeldTrigger } from './held-triggers.ts';
import type { ObjectOf } from './objects.ts';
import type { Profile } from './profile.ts';
import type { Person } from './state.ts';
import type { WorkspaceRules } from './workspace-rules.ts';

export interface Subject {
  readonly personId: string;
  /** undefined: nothing is known of the person yet. */
  readonly person: Person | undefined;
  /** ms; of somebody of whom nothing is kept here: when they were first seen all the same. Absent: not yet. */
  readonly firstSeenAt?: number;
  /** Size of what is kept of the person but for the profile; absent for nothing. */
  readonly storedBytes?: number;
  /** Read only when something asks for it. */
  readonly profile: () => Profile;
  /** What is known of objects by themselves. Absent: nothing. */
  readonly objectOf?: ObjectOf;
  readonly rules: WorkspaceRules;
  /** Triggers that wait for an identify: those at [from, to) of a range of the person's. */
  readonly heldTriggers: (range: number, from: number, to: number) => readonly HeldTrigger[];
  /** ms: everything received before it has been read. No timer that is later has run. */
  readonly readTo: number;
}

export interface Decision {
  readonly person: Person;
  /** Present when it is to be stored. */
  readonly profile?: Profile | undefined;
  readonly effects: readonly Effect[];
  /** Steps of patterns that it took; absent for none. */
  readonly patternSteps?: number;
}
