/** How long until the next poll. Pure. */
export interface Pace {
  /** What the server asked for. */
  readonly pollSeconds: number;
  /** Since somebody last touched the page. */
  readonly idleMs: number;
  /** Polls in a row that got no answer. */
  readonly failures: number;
  /** 0 to 1, drawn anew each time: pages that loaded together do not poll together. */
  readonly draw: number;
}

/** A rule is to change within a minute: idle or not, that is the moment to be there. */
const pendingSecondsMax = 2;
const idleMsMin = 60_000;
/** Less than the minute before a change, from which on the server asks for haste. */
const idlePollMs = 30_000;
const pollMsMin = 1_000;
const pollMsMax = 600_000;
const spread = 0.1;

export function nextPollMs({ pollSeconds, idleMs, failures, draw }: Pace): number {
  const asked = Math.max(pollMsMin, pollSeconds * 1_000);
  const isIdle = idleMs >= idleMsMin && pollSeconds > pendingSecondsMax;
  const paced = isIdle ? Math.max(asked, idlePollMs) : asked;
  // Never sooner than asked.
  return Math.min(pollMsMax, paced * 2 ** Math.min(failures, 10) * (1 + spread * draw));
}
