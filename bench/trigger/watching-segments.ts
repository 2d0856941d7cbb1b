/** Segments that count, so many of which mention an event's name: what the trigger is measured with, here and through a broker. */
export interface Watching {
  readonly segments: number;
  /** Segments that a name is mentioned by. */
  readonly mention: number;
}

export interface WatchingSegment {
  readonly id: string;
  readonly body: {
    readonly name: string;
    readonly type: 'data_driven';
    readonly when: {
      readonly event: string;
      readonly where: readonly {
        readonly property: string;
        readonly operator: 'gt';
        readonly value: number;
      }[];
      readonly count: { readonly at_least: number };
      readonly within: string;
    };
  };
}

const days = 30;
export const windowMs = days * 86_400_000;
/** Each asks for another price, up to so many. */
const prices = 20;

export function watchingSegments(watching: Watching): readonly WatchingSegment[] {
  const names = watchedNames(watching);
  return Array.from({ length: watching.segments }, (_, index) => {
    const where = [{ property: 'price', operator: 'gt', value: index % prices }] as const;
    const counting = { count: { at_least: 2 }, within: `P${String(days)}D` };
    const when = { event: watchedName(index % names), where, ...counting };
    return { id: `s${String(index)}`, body: { name: 'Segment', type: 'data_driven', when } };
  });
}

/** How many names they mention. */
export function watchedNames({ segments, mention }: Watching): number {
  return Math.max(1, Math.floor(segments / mention));
}

export function watchedName(number: number): string {
  return `Watched ${String(number)}`;
}
