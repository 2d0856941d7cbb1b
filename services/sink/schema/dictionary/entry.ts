/** How the data dictionary says what a view and its columns hold. */

/** Name, type as DESCRIBE says it, what it holds. */
export type Column = readonly [name: string, type: string, comment: string];

export interface ViewEntry {
  readonly name: string;
  /** A row is … */
  readonly comment: string;
  readonly columns: readonly Column[];
  /** false: its columns and its name may change without notice in the changelog. */
  readonly isContract: boolean;
  /** Asked with an argument, such as `person = 'cio_…'`: the engine keeps no comments of its columns. */
  readonly argument?: string;
}

const TIME = "DateTime64(3, 'UTC')";
export const types = {
  text: 'String',
  label: 'LowCardinality(String)',
  maybeText: 'Nullable(String)',
  maybeLabel: 'LowCardinality(Nullable(String))',
  time: TIME,
  maybeTime: `Nullable(${TIME})`,
  flag: 'Bool',
  count: 'UInt64',
  double: 'Float64',
  maybeDouble: 'Nullable(Float64)',
} as const;

export const workspace: Column = [
  'workspace',
  types.label,
  'Which workspace it belongs to. Every question names one.',
];
export const personToday = (type: string = types.text): Column => [
  'person_id',
  type,
  'The person of today, after all merges and splits: cio_ and a hash. Join people by it.',
];
