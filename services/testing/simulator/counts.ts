/** What has happened to the machines of a service. */
export type Counts = Record<keyof typeof none, number>;

const none = {
  kills: 0,
  takeovers: 0,
  lostDisks: 0,
  stops: 0,
  snapshots: 0,
  /** Snapshots that were lost or damaged. */
  spoiledSnapshots: 0,
  /** Times that retention took something from the service's journal or inputs. */
  expiries: 0,
  /** Tasks that went to another process of a group. */
  moves: 0,
  /** Changes of the number of tasks. */
  taskChanges: 0,
  /** Tasks that found nothing on their disk that reaches back, and said so. */
  refusals: 0,
};

export function noCounts(): Counts {
  return { ...none };
}

export function sumOf(all: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const counts of all) {
    for (const name of Object.keys(none) as (keyof Counts)[]) sum[name] += counts[name]; // its own keys
  }
  return sum;
}
