import { expect, test } from '@jest/globals';
import { openapi } from './openapi.ts';

const document: unknown = JSON.parse(JSON.stringify(openapi()));

function at(pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>((from, key) => (from as Readonly<Record<string, unknown>> | undefined)?.[key], document);
}
function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === '$ref' && typeof inner === 'string' ? [inner] : referencesIn(inner),
  );
}

test('every reference of the document leads to a schema, and conditions lead to conditions', () => {
  const references = [...new Set(referencesIn(document))].sort();
  expect(references).toContain('#/components/schemas/condition');
  for (const reference of references)
    expect([reference, typeof at(reference.slice(1))]).toEqual([reference, 'object']);
  const { anyOf: forms = [] } = at('/components/schemas/condition') as { anyOf?: readonly object[] };
  expect(forms.length).toBeGreaterThanOrEqual(12);
  expect(forms[0]).toMatchObject({
    properties: { all: { items: { $ref: '#/components/schemas/condition' } } },
  });
});
