/**
 * The schemas of segments, journeys and messages as the API's document has them: conditions, which hold conditions, stand once
 * under `components`, where every reader of such a document looks for them. Pure.
 */
import { messageSchema } from '../rules/message-schema.ts';
import { journeySchema, segmentSchema } from '../rules/schema.ts';

const NAME = 'Condition';
const reference = { $ref: '#/components/schemas/condition' } as const;

export function publishedRules(): Readonly<Record<'segment' | 'journey' | 'message' | 'condition', unknown>> {
  const found: { condition?: unknown } = {};
  const segment = published(segmentSchema, found);
  const [journey, message] = [published(journeySchema, found), published(messageSchema, found)];
  return { segment, journey, message, condition: found.condition };
}

/** Copies a schema; what refers to a condition, or defines it, becomes a reference. */
function published(schema: unknown, found: { condition?: unknown }): unknown {
  if (Array.isArray(schema)) return schema.map((each) => published(each, found));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema);
  const { $ref, $defs } = schema as {
    readonly $ref?: unknown;
    readonly $defs?: Readonly<Record<string, unknown>>;
  };
  const defined = $defs?.[NAME];
  if (defined !== undefined) found.condition ??= published(withoutId(defined), found);
  if ($ref === NAME) return reference;
  return Object.fromEntries(entries.map(([key, value]) => [key, published(value, found)]));
}

function withoutId(schema: unknown): unknown {
  return Object.fromEntries(Object.entries(schema as object).filter(([key]) => key !== '$id'));
}
