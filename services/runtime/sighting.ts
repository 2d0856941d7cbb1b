/** One call as the door saw it: what it was, how it was answered, and why. No secret is in it, nor what was sent. */
import type { Workspace } from '../../schemas/ids.ts';

/**
 * ok: taken. corrected: taken otherwise than sent. dropped: not taken, and sending it again would not help. limited: over
 * a rate limit. retry: not taken now; sent again it will be.
 */
export type Answered = 'ok' | 'corrected' | 'dropped' | 'limited' | 'retry';

export interface Sighting {
  /** ms */
  readonly at: number;
  /** null: of a caller who is not known. */
  readonly workspace: Workspace | null;
  /** Id of the key; null: none that is known. */
  readonly key: string | null;
  /** Method and route. */
  readonly route: string;
  /** Of HTTP. */
  readonly status: number;
  readonly answered: Answered;
  /** A code of reasons.ts or of an error; null: ok. */
  readonly reason: string | null;
  readonly message: string | null;
  readonly type: string | null;
  readonly name: string | null;
  readonly messageId: string | null;
  readonly anonymousId: string | null;
  /** An id, email or cio_id as sent. */
  readonly identifier: string | null;
}
