/** A person as the trigger has them, for who asks why. */
import type { Subject } from './decide/subject.ts';
import type { WorkspaceRules } from './decide/workspace-rules.ts';

/** What is kept of a person, and as of when. */
export interface Seen {
  readonly subject: Subject;
  readonly rules: WorkspaceRules;
  /** ms; timers have run up to it. */
  readonly readTo: number;
  /** One past the last record of events.merged of the workspace that is handled, in the person's partition. */
  readonly offset: number;
  /** One past the last definition that is in force. */
  readonly definitionsOffset: number;
}
