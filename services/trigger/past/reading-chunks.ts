/** How many people's histories are in memory at once. Pure. */

/** A person with more of them that matter is left out, and told. */
export const historyEventsMax = 20_000;
const chunkEventsMax = 50_000;

/** As many people as have so many events together, one at least. @param sizes how many each has; absent: none. */
export function chunksOf(
  people: readonly string[],
  sizes: ReadonlyMap<string, number>,
): readonly (readonly string[])[] {
  const chunks: string[][] = [];
  let room = 0;
  for (const id of people) {
    const size = Math.min(sizes.get(id) ?? 0, historyEventsMax);
    const last = chunks.at(-1);
    if (last === undefined || size > room) {
      chunks.push([id]);
      room = chunkEventsMax - size;
    } else {
      last.push(id);
      room -= size;
    }
  }
  return chunks;
}
