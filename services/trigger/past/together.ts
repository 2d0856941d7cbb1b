/** Which pasts are read at once: of the same rules in several partitions. Pure. */
import type { PastMessage } from '../past-messages.ts';
import type { WantedPast } from '../wanted-past.ts';
import type { Told } from './stretches.ts';

/** Of each a stretch is in memory while it is filled. */
export const partitionsAReadMax = 16;

export type Together = readonly [WantedPast, ...WantedPast[]];

export function together(all: readonly WantedPast[]): readonly Together[] {
  const found: Together[] = [];
  const open = new Map<string, WantedPast[]>();
  for (const one of all) {
    const isShared = one.apart === undefined && one.placing === undefined;
    const name = versionsOf(one);
    const group = isShared ? open.get(name) : undefined;
    if (group !== undefined && group.length < partitionsAReadMax) {
      group.push(one);
      continue;
    }
    const begun: [WantedPast, ...WantedPast[]] = [one];
    found.push(begun);
    if (isShared) open.set(name, begun);
  }
  return found;
}

/** The same whatever the order of the rules: each partition has that in which it met them. */
export function versionsOf({ workspace, rules }: WantedPast): string {
  return [workspace, ...rules.map(({ key, version }) => `${key} ${String(version)}`).sort()].join(' ');
}

/** What is told to one partition alone. */
export async function* toldTo(partition: number, messages: AsyncIterable<PastMessage>): AsyncGenerator<Told> {
  for await (const message of messages) yield { partition, message };
}
