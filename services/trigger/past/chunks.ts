/** How much of the past is in memory at once. Pure. */

/** A person with more of them is left out, and it is said. */
export const historyEventsMax = 20_000;
/** Of several people together. */
const chunkEventsMax = 50_000;

/** As many people as have so many events together, one at least; in their order. */
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
