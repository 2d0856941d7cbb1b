/**
 * The filter of `POST /v1/customers` (spec A.5) as SQL over the view `people`:
 * `{and: […]} | {or: […]} | {not: …} | {segment: {id}} | {attribute: {field, operator: "eq"|"exists", value}}`. Pure.
 */
import { canonicalCioId, canonicalEmail, canonicalName } from '../../../schemas/identifiers.ts';
import { readTwice } from '../../rules/sql-numbers.ts';
import { unreachable } from '../../runtime/errors.ts';
import { ExactNumber } from '../../runtime/exact-json.ts';
import { badCall, isFault, type AppFault } from '../app-route.ts';

/** Leaves and branches of a filter together, and branches within branches. */
export const filterPartsMax = 100;
export const filterDepthMax = 10;

export type Filter =
  | { readonly type: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly type: 'not'; readonly of: Filter }
  | { readonly type: 'segment'; readonly id: string }
  | { readonly type: 'exists'; readonly field: string }
  | { readonly type: 'eq'; readonly field: string; readonly value: string };

const FORMS = ['and', 'or', 'not', 'segment', 'attribute'] as const;

export function parseFilter(value: unknown): Filter | AppFault {
  let parts = 0;
  const parse = (part: unknown, depth: number): Filter | AppFault => {
    parts += 1;
    if (parts > filterPartsMax) return badCall(`a filter has at most ${String(filterPartsMax)} conditions`);
    if (depth > filterDepthMax) return badCall(`a filter is nested ${String(filterDepthMax)} deep at most`);
    const given = object(part);
    const forms = FORMS.filter((form) => Object.hasOwn(given, form));
    const [form] = forms;
    if (form === undefined || forms.length > 1 || Object.keys(given).length > 1) {
      return badCall(`a condition has exactly one of ${FORMS.join(', ')}`);
    }
    const inner = given[form];
    switch (form) {
      case 'and':
      case 'or': {
        if (!Array.isArray(inner) || inner.length === 0)
          return badCall(`${form} must be a list of conditions`);
        const of: Filter[] = [];
        for (const each of inner as readonly unknown[]) {
          const parsed = parse(each, depth + 1);
          if (isFault(parsed)) return parsed;
          of.push(parsed);
        }
        return { type: form, of };
      }
      case 'not': {
        const of = parse(inner, depth + 1);
        return isFault(of) ? of : { type: 'not', of };
      }
      case 'segment':
        return segment(object(inner)['id']);
      case 'attribute':
        return attribute(object(inner));
      default:
        return unreachable(form);
    }
  };
  return parse(value, 1);
}

function segment(id: unknown): Filter | AppFault {
  if (typeof id === 'number' && Number.isSafeInteger(id)) return { type: 'segment', id: String(id) };
  return typeof id === 'string' && id !== '' ? { type: 'segment', id } : badCall('segment must have an id');
}

function attribute({ field, operator, value }: Readonly<Record<string, unknown>>): Filter | AppFault {
  if (typeof field !== 'string' || field === '') return badCall('attribute must have a field');
  if (operator === 'exists') return { type: 'exists', field };
  if (operator !== 'eq') return badCall('the operator of an attribute is eq or exists');
  if (typeof value === 'string') return { type: 'eq', field, value };
  if (value instanceof ExactNumber) return { type: 'eq', field, value: value.text };
  if (typeof value === 'number' || typeof value === 'boolean')
    return { type: 'eq', field, value: String(value) };
  return badCall('an attribute that is to equal something must have a value');
}

export interface FilterSql {
  /** A condition on rows of the view `people`. */
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Uses the parameter `workspace`; its own are named `f0`, `f1` …  */
export function filterSql(filter: Filter): FilterSql {
  const parameters: Record<string, string> = {};
  const parameter = (value: string): string => {
    const name = `f${String(Object.keys(parameters).length)}`;
    parameters[name] = value;
    return `{${name}:String}`;
  };
  const write = (part: Filter): string => {
    switch (part.type) {
      case 'and':
      case 'or':
        return `(${part.of.map(write).join(part.type === 'and' ? ' AND ' : ' OR ')})`;
      case 'not':
        return `(NOT ${write(part.of)})`;
      case 'segment':
        return `(person_id IN (SELECT person_id FROM segment_memberships WHERE workspace = {workspace:String} AND segment_id = ${parameter(part.id)}))`;
      case 'exists':
        return `(${textSql(part.field, parameter)} IS NOT NULL)`;
      case 'eq': {
        return `ifNull(${textSql(part.field, parameter)} = ${parameter(formOf(part))}, false)`;
      }
      default:
        return unreachable(part);
    }
  };
  return { sql: write(filter), parameters };
}

/** A name in the form in which it is kept. */
function formOf({ field, value }: { readonly field: string; readonly value: string }): string {
  if (field === 'id') return canonicalName(value);
  if (field === 'email') return canonicalEmail(value);
  return field === 'cio_id' ? canonicalCioId(value) : value;
}

/**
 * What the person has of it, as text; a number by its digits and a boolean as they are written in JSON, nothing as NULL.
 * A number that no double holds hides no other attribute (sql-numbers.ts).
 */
function textSql(field: string, parameter: (value: string) => string): string {
  if (field === 'id' || field === 'email') return field;
  if (field === 'cio_id') return 'toNullable(person_id)';
  const name = parameter(field);
  const { raw, exact } = readTwice("ifNull(attributes, '{}')");
  const [of, digits] = [`${raw}, ${name}`, `${exact}, ${name}`];
  const cases = [
    [`JSONType(${of}) = 'Null'`, 'NULL'],
    [`JSONType(${digits}) = 'String'`, `toNullable(JSONExtractString(${digits}))`],
  ];
  return `multiIf(${cases.flat().join(', ')}, toNullable(JSONExtractRaw(${of})))`;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}
