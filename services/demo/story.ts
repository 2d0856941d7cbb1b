/**
 * What the page is told of its visitor: what they did under this very anonymous id, and what became of it since. Anybody
 * may ask, and whoever says that they are somebody's email is joined to that person; so nothing is told of who the person
 * is, of their other browsers, or of what was so before this visitor came. Pure.
 */

type JsonObject = Readonly<Record<string, unknown>>;

const EVENTS: ReadonlySet<unknown> = new Set(['received', 'waiting', 'merged']);
const FOLLOWS: ReadonlySet<unknown> = new Set(['segment', 'journey']);
const TOLD_OF_EVENTS = ['at', 'timestamp', 'stage', 'message_id', 'name'];
const TOLD_OF_OTHERS = ['at', 'stage', 'name'];
const DETAILS = ['type', 'previously_anonymous', 'segment_id', 'journey_id', 'change'];

/** @param trace the answer of `GET /v1/trace`. */
export function tellable(trace: JsonObject): JsonObject {
  const steps = (Array.isArray(trace['steps']) ? trace['steps'] : []).filter(isJsonObject);
  const began = steps.find(({ stage }) => EVENTS.has(stage))?.['at'];
  return { steps: steps.flatMap((step) => toldOf(step, typeof began === 'string' ? began : '')) };
}

/** @param began when the visitor came; ISO 8601, which sorts as text. */
function toldOf(step: JsonObject, began: string): JsonObject[] {
  const { stage, at, detail } = step;
  if (EVENTS.has(stage)) return [{ ...only(step, TOLD_OF_EVENTS), ...detailOf(detail) }];
  const isSince = typeof at === 'string' && at >= began && began !== '';
  if (stage === 'claimed' && isSince) return [only(step, TOLD_OF_OTHERS)];
  return FOLLOWS.has(stage) && isSince ? [{ ...only(step, TOLD_OF_OTHERS), ...detailOf(detail) }] : [];
}

function detailOf(detail: unknown): JsonObject {
  return isJsonObject(detail) ? { detail: only(detail, DETAILS) } : {};
}

function only(from: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.flatMap((name) => (name in from ? [[name, from[name]]] : [])));
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
