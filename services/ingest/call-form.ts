/** How a workspace wants its events kept. */
import type { EventNames } from '../runtime/event-names.ts';
import type { IdentifyMoment } from '../runtime/workspace-settings.ts';

export interface CallForm {
  /** Undefined: names are kept as they are sent. */
  readonly names: EventNames | undefined;
  readonly isWithItems: boolean;
  /** Their events are folded, as foldedName does it. */
  readonly moments: readonly IdentifyMoment[];
}
