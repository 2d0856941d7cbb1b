/**
 * How much of something each workspace has written on a day (UTC), counted from a topic that keeps all of it for ever: all
 * gateways come to the same, and so does one that has just started.
 */
const DAY_MS = 86_400_000;

export class DayCounts {
  /** By workspace, of the last day on which it wrote any. */
  readonly #days = new Map<string, { readonly day: number; readonly amount: number }>();

  /** What is older than the workspace's last day no longer counts. */
  add(workspace: string, at: number, amount: number): void {
    const day = dayOf(at);
    const last = this.#days.get(workspace);
    if (last !== undefined && last.day > day) return;
    this.#days.set(workspace, { day, amount: (last?.day === day ? last.amount : 0) + amount });
  }

  /** On the day of this time. */
  of(workspace: string, at: number): number {
    const last = this.#days.get(workspace);
    return last?.day === dayOf(at) ? last.amount : 0;
  }
}

/** Until the day of this time is over. */
export function dayLeftS(at: number): number {
  return Math.ceil((DAY_MS - (at % DAY_MS)) / 1_000);
}

function dayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}
