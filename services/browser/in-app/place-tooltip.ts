/** Where a tooltip stands beside its element: on the side asked for, the opposite one if there is no room. Pure. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export type Side = 'top' | 'bottom' | 'left' | 'right';

const gapPx = 10;
const edgePx = 12;
const opposite: Readonly<Record<Side, Side>> = { top: 'bottom', bottom: 'top', left: 'right', right: 'left' };

/** @returns its corner, within the window as far as it fits there; in px. */
export function placeTooltip(
  anchor: Box,
  tip: Pick<Box, 'width' | 'height'>,
  screen: Pick<Box, 'width' | 'height'>,
  asked: Side,
): { readonly left: number; readonly top: number } {
  const room: Readonly<Record<Side, number>> = {
    top: anchor.top - tip.height,
    bottom: screen.height - anchor.top - anchor.height - tip.height,
    left: anchor.left - tip.width,
    right: screen.width - anchor.left - anchor.width - tip.width,
  };
  const fits = (side: Side) => room[side] >= gapPx + edgePx;
  const sides: readonly Side[] = [asked, opposite[asked], 'bottom', 'top'];
  // Where none has room, the one that covers the least of the element.
  const side = sides.find(fits) ?? sides.reduce((best, each) => (room[each] > room[best] ? each : best));
  const middle = {
    left: anchor.left + (anchor.width - tip.width) / 2,
    top: anchor.top + (anchor.height - tip.height) / 2,
  };
  const corners: Readonly<Record<Side, { left: number; top: number }>> = {
    top: { left: middle.left, top: anchor.top - tip.height - gapPx },
    bottom: { left: middle.left, top: anchor.top + anchor.height + gapPx },
    left: { left: anchor.left - tip.width - gapPx, top: middle.top },
    right: { left: anchor.left + anchor.width + gapPx, top: middle.top },
  };
  const within = (at: number, size: number, whole: number) =>
    Math.max(edgePx, Math.min(at, whole - size - edgePx));
  const { left, top } = corners[side];
  return { left: within(left, tip.width, screen.width), top: within(top, tip.height, screen.height) };
}
