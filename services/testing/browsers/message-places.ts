/** Every place where a message can stand, for the tests of how it fits and for the pictures in docs/. */
export interface MessagePlace {
  readonly kind: 'modal' | 'overlay' | 'banner' | 'inline' | 'tooltip';
  readonly position?: string;
  /** On a page that has an element `slot` and a button `buy`. */
  readonly element?: string;
}

const sides = ['top', 'bottom', 'left', 'right'];
const corners = ['top-left', 'top-right', 'bottom-left', 'bottom-right'];

function places(
  kind: MessagePlace['kind'],
  positions: readonly string[],
  element?: string,
): readonly MessagePlace[] {
  return positions.map((position) => ({ kind, position, ...(element !== undefined && { element }) }));
}

export const messagePlaces: readonly MessagePlace[] = [
  ...places('modal', ['center', 'top', 'bottom']),
  ...places('overlay', [...sides, ...corners]),
  ...places('banner', ['top', 'bottom']),
  { kind: 'inline', element: 'slot' },
  ...places('tooltip', sides, '#buy'),
];
