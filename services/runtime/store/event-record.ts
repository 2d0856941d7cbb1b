/** Where an event's record has its times and its value; event-store.ts has the whole layout. */
export const RECEIVED_AT = 28;
export const TIMESTAMP = 34;
export const RECORD_HEADER_BYTES = 40;

/** Six bytes, little-endian: 48 bits reach to the year 10889. */
export function setTime(view: DataView, at: number, time: number): void {
  const high = Math.floor(time / 2 ** 32);
  view.setUint32(at, time - high * 2 ** 32, true);
  view.setUint16(at + 4, high, true);
}
export function timeAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}
