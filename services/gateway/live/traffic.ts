/** What the door took and refused, minute after minute: for a line of the log, and for whoever sits before `npm start`. */
import type { Sighting } from '../../runtime/sighting.ts';

/** Of a minute. What comes on top is counted as `other`. */
export const refusalTextsMax = 50;

export interface RefusalText {
  readonly reason: string;
  /** As the caller was told; null: the reason says all. */
  readonly message: string | null;
  readonly count: number;
}

export interface Minute {
  /** When it ended, ISO 8601. */
  readonly ended_at: string;
  readonly calls: number;
  readonly corrected: number;
  readonly refused: number;
  /** Most frequent first. */
  readonly refusals: readonly RefusalText[];
}

interface Counts {
  calls: number;
  corrected: number;
  refused: number;
  readonly texts: Map<string, { readonly reason: string; readonly message: string | null; count: number }>;
}

export class Traffic {
  #counts = nothing();
  #last: Minute | undefined;

  count({ answered, reason, message }: Pick<Sighting, 'answered' | 'reason' | 'message'>): void {
    const counts = this.#counts;
    counts.calls++;
    if (answered === 'corrected') counts.corrected++;
    if (answered === 'ok' || answered === 'corrected') return;
    counts.refused++;
    const known = `${reason ?? 'unknown'} ${message ?? ''}`;
    const isOther = !counts.texts.has(known) && counts.texts.size >= refusalTextsMax;
    const name = isOther ? 'other' : known;
    const text = counts.texts.get(name) ?? {
      reason: isOther ? 'other' : (reason ?? 'unknown'),
      message: isOther || message === '' ? null : message,
      count: 0,
    };
    text.count++;
    counts.texts.set(name, text);
  }

  /** Ends the minute. @param now ms. @returns undefined when nothing came. */
  end(now: number): Minute | undefined {
    const { texts, ...counts } = this.#counts;
    if (counts.calls === 0) return undefined;
    this.#counts = nothing();
    const refusals = [...texts.values()].sort((a, b) => b.count - a.count);
    this.#last = { ended_at: new Date(now).toISOString(), ...counts, refusals };
    return this.#last;
  }

  /** The last minute in which something came. */
  get last(): Minute | undefined {
    return this.#last;
  }
}

function nothing(): Counts {
  return { calls: 0, corrected: 0, refused: 0, texts: new Map() };
}
