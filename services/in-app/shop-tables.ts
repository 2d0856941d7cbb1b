/** Tables of a shop as its texts see them: `{{ tables.stock[last_item.sku].left }}`. A row is found by its key, and none is listed. */
import type { Tables } from '../runtime/tables.ts';

export function tablesFor(tables: Pick<Tables, 'row'>, workspace: string): object {
  return found((table) => found((key) => tables.row(workspace, table, key)));
}

/** What liquid may ask by name: it has each member that is found, and says so, but names none. */
function found(find: (name: string) => object | undefined): object {
  const named = (name: string | symbol) => (typeof name === 'string' ? find(name) : undefined);
  return new Proxy(
    {},
    {
      // Before a row of that name: whoever writes a table out asks for it.
      get: (_target, name) => (name === 'toString' ? nothing : named(name)),
      has: (_target, name) => named(name) !== undefined,
      getOwnPropertyDescriptor: (_target, name) => {
        const value = named(name);
        return value === undefined
          ? undefined
          : { value, configurable: true, enumerable: false, writable: false };
      },
      ownKeys: () => [],
    },
  );
}

/** Of a table that is written out as such. */
function nothing(): string {
  return '';
}
