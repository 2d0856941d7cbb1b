/** A history in words, a line a step, for whoever has to find out what went wrong. For the model test only. */
import type { Draft, History, LaneFields, Name } from './history.ts';

const units = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

export function told({ guards, steps }: History): readonly string[] {
  const own = Object.keys(guards).length === 0 ? [] : [`guards ${JSON.stringify(guards)}`];
  return [...own, ...steps.map(({ waitMs, draft }) => `+${duration(waitMs).padEnd(6)} ${sentence(draft)}`)];
}

function sentence(draft: Draft): string {
  switch (draft.type) {
    case 'visit':
      return `event of ${lane(draft.fields)}`;
    case 'track':
      return `event of ${name(draft.named)}, ${lane(draft.fields)}`;
    case 'identify': {
      const { named, also, updateOnly, fields } = draft;
      const others = also === 'partner' ? ['the same person’s other identifier'] : also.map(name);
      const and = others.map((each) => ` and ${each}`).join('');
      return `identify ${name(named)}${and}${updateOnly ? ', update only' : ''}, ${lane(fields)}`;
    }
    case 'alias':
      return `alias ${draft.previous} to ${name(draft.named)}, ${lane(draft.fields)}`;
    case 'merge':
      return `merge ${name(draft.other)} into ${name(draft.named)}`;
    case 'split': {
      const taken = [...draft.visitors.map((each) => `visitor ${each}`), ...draft.names.map(name)];
      const into = draft.into === null ? 'a new person' : name(draft.into);
      return `split ${taken.join(', ') || 'nothing'} off ${name(draft.named)} into ${into}`;
    }
    case 'settings':
      return `settings ${JSON.stringify(draft.change)}`;
    case 'lost':
      return 'markers of a control call that never comes';
    default:
      return `${draft.type} ${name(draft.named)}`;
  }
}

function lane({ visitor, message, lateMs, behindMs }: LaneFields): string {
  const parts = [visitor === null ? 'no visitor' : `visitor ${visitor}`, `m${String(message)}`];
  if (lateMs !== 0) parts.push(`arrives ${duration(lateMs)} late`);
  if (behindMs !== 0)
    parts.push(`says it is of ${duration(Math.abs(behindMs))} ${behindMs > 0 ? 'before' : 'after'}`);
  return parts.join(', ');
}

function name({ kind, value }: Name): string {
  return `${kind} ${value}`;
}

function duration(ms: number): string {
  for (const [size, unit] of units) {
    if (ms >= size && ms % size === 0) return `${String(ms / size)} ${unit}`;
  }
  return `${String(ms)} ms`;
}
