/**
 * A DataView of bytes, for reading whole words in place: V8 compiles its getters to a load, and four reads of a
 * Uint8Array to four loads with checks. Records come in runs from one frame, so the last view is nearly always the one.
 */
let lastBytes: Uint8Array = new Uint8Array(0);
let lastView = new DataView(lastBytes.buffer);

export function viewOf(bytes: Uint8Array): DataView {
  if (bytes === lastBytes) return lastView;
  lastBytes = bytes;
  lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return lastView;
}
