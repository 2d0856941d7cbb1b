/**
 * Stored segments and journeys, read for what they refer to and what refers to them. Nothing is matched by them, and each is
 * read once: a question about a definition may be one about all of its workspace.
 */
import type { Journey, Segment } from '../rules/condition.ts';
import { StoredPatterns } from '../rules/definition-patterns.ts';
import { parseJourney, parseSegment } from '../rules/parse.ts';

/** By the body, which a change replaces. null: of another version, and not readable by this one. */
const segments = new WeakMap<object, Segment | null>();
const journeys = new WeakMap<object, Journey | null>();

export function storedSegment(body: unknown): Segment | undefined {
  return remembered(segments, body, () => {
    const read = parseSegment(body, new StoredPatterns(false));
    return read.ok ? read.value : null;
  });
}

export function storedJourney(body: unknown): Journey | undefined {
  return remembered(journeys, body, () => {
    const read = parseJourney(body, new StoredPatterns(false));
    return read.ok ? read.value : null;
  });
}

function remembered<T>(known: WeakMap<object, T | null>, body: unknown, read: () => T | null): T | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  let found = known.get(body);
  if (found === undefined) {
    found = read();
    known.set(body, found);
  }
  return found ?? undefined;
}
