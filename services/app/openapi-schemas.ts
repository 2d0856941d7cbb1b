/**
 * Schemas of definitions as the published document has them. A schema that refers to itself is named once, among the
 * components: within a schema of its own every reader would have to find it by an `$id`, which two schemas then share. Pure.
 */
type Json = Readonly<Record<string, unknown>>;

/** @param schemas by the name of the component. */
export function hoisted(schemas: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const found = new Map<string, unknown>();
  const named = Object.entries(schemas).map(
    ([name, schema]) => [name, withoutDefs(JSON.parse(JSON.stringify(schema)), found)] as const,
  );
  return { ...Object.fromEntries(named), ...Object.fromEntries(found) };
}

function withoutDefs(value: unknown, found: Map<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => withoutDefs(each, found));
  if (!isObject(value)) return value;
  const { $defs, $ref, ...rest } = value;
  if (isObject($defs)) {
    for (const [name, schema] of Object.entries($defs)) {
      if (found.has(name) || !isObject(schema)) continue;
      found.set(name, undefined); // it refers to itself
      const body = Object.entries(schema).filter(([key]) => key !== '$id');
      found.set(name, withoutDefs(Object.fromEntries(body), found));
    }
  }
  const kept = Object.entries(rest).map(([key, each]) => [key, withoutDefs(each, found)] as const);
  const reference = typeof $ref === 'string' && !$ref.startsWith('#') ? `#/components/schemas/${$ref}` : $ref;
  return { ...Object.fromEntries(kept), ...(reference !== undefined && { $ref: reference }) };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
