/**
 * A part of a text as a text of its own. JavaScript engines make a part without copying it, so the whole stays in memory for
 * as long as the part does: an id of 16 characters that is kept may keep the body of a megabyte in which it came. Pure.
 */

/** Where the whole is no longer than this beyond its part, there is nothing to gain. */
const restCharsMax = 256;

/** @param whole of which it may be a part; left out where that is not known: any. */
export function ownText(part: string, whole?: string): string {
  if (whole !== undefined && whole.length - part.length <= restCharsMax) return part;
  return Buffer.from(part, 'utf16le').toString('utf16le'); // halves of surrogate pairs stay as they are
}
