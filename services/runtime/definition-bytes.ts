/** How large a stored definition is: what all of a workspace's take in the memory of each service is bounded by their sum. */
const remembered = new WeakMap<object, number>();

/** As JSON. Remembered by the body, which a change replaces. */
export function definitionBytes(body: unknown): number {
  if (typeof body !== 'object' || body === null) return 0;
  let bytes = remembered.get(body);
  if (bytes === undefined) {
    bytes = Buffer.byteLength(JSON.stringify(body));
    remembered.set(body, bytes);
  }
  return bytes;
}
