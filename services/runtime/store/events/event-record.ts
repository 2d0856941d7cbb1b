/**
 * What an event and a change of a lane look like in the event store's log, little-endian:
 *
 * first of its chain: u32 type and length | 6 bytes received at | 6 bytes timestamp | 12 bytes hash of the lane | value
 * any other event:    u32 type and length | 6 bytes received at | 6 bytes timestamp | 5 bytes the event before it | 5 bytes
 *                     of the hash | value
 * flags, cleared:     u32 type and length | u8 flags | 12 bytes hash
 *
 * Where the event before it lies says whose an event is: no two chains have the same newest. The five bytes of the hash
 * only find the lane in the index.
 */
export const FIRST = 0;
export const NEXT = 1;
export const FLAGS = 2;
export const CLEARED = 3;

const TYPE_SHIFT = 28;
export const LENGTH_MASK = 2 ** TYPE_SHIFT - 1;
export const leadOf = (type: number, length: number): number => (type << TYPE_SHIFT) | length;
export const typeOf = (lead: number): number => lead >>> TYPE_SHIFT;
export const lengthOf = (lead: number): number => lead & LENGTH_MASK;

export const RECEIVED_AT = 4;
export const TIMESTAMP = 10;
export const FIRST_HASH = 16;
export const FIRST_BYTES = 28;
export const NEXT_BEFORE = 16;
export const NEXT_HASH = 21;
export const NEXT_BYTES = 26;
export const CONTROL_FLAGS = 4;
export const CONTROL_HASH = 5;
export const CONTROL_BYTES = 17;

/** Of what a lead says to be an event: where its value begins. */
export const valueAt = (lead: number): number => (typeOf(lead) === FIRST ? FIRST_BYTES : NEXT_BYTES);

/** Six bytes: 48 bits reach to the year 10889. */
export function setTime(view: DataView, at: number, time: number): void {
  const high = Math.floor(time / 2 ** 32);
  view.setUint32(at, time - high * 2 ** 32, true);
  view.setUint16(at + 4, high, true);
}
export function timeAt(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
}

/** Offsets in a segment have 26 bits. */
const OFFSET_BITS = 26;
const OFFSET_MASK = 2 ** OFFSET_BITS - 1;
const SEGMENT_LOW_BITS = 32 - OFFSET_BITS;
/** Segments have 14, so that they are told apart while there are no more than these. */
const SEGMENT_BITS = SEGMENT_LOW_BITS + 8;
export const liveSegmentsMax = 2 ** SEGMENT_BITS - 1;

/** Five bytes: a place in this segment or one of the liveSegmentsMax before it. */
export function setPlace(view: DataView, at: number, segment: number, offset: number): void {
  view.setUint32(at, ((segment << OFFSET_BITS) | offset) >>> 0, true);
  view.setUint8(at + 4, (segment >>> SEGMENT_LOW_BITS) & 0xff);
}
export function segmentAt(view: DataView, at: number, segment: number): number {
  const known = (view.getUint8(at + 4) << SEGMENT_LOW_BITS) | (view.getUint32(at, true) >>> OFFSET_BITS);
  return segment - ((segment - known) & liveSegmentsMax);
}
export function offsetAt(view: DataView, at: number): number {
  return view.getUint32(at, true) & OFFSET_MASK;
}
