/** What a reader's query gets of the machine. readonly = 1 goes after these, so that no statement can change them. */
import { availableParallelism } from 'node:os';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';

/** All readers together: half of the cores, but one for each that runs. */
const threadsMax = Math.max(1, Math.floor(availableParallelism() / 2 / limits.readersRunningMax));

/** A request may set them lower, never higher. */
const CEILINGS: Readonly<Record<string, number>> = {
  max_execution_time: limits.readerSecondsMax,
  max_memory_usage: limits.readerMemoryBytesMax,
  max_threads: threadsMax,
  max_block_size: 65_409,
};

export const READER_SETTINGS: readonly string[] = [
  ...Object.entries(CEILINGS).map(([name, value]) => `${name} = ${String(value)}`),
  `max_temporary_data_on_disk_size_for_query = ${String(limits.readerDiskBytesMax)}`,
  'max_bytes_before_external_group_by = 0',
  'max_bytes_ratio_before_external_group_by = 0.5',
  'implicit_select = 0', // the engine as a library takes a missing SELECT for one
  `max_query_size = ${String(limits.readerStatementBytesMax * 2)}`,
];

/** Whether it is a setting with a ceiling. @throws EngineException 452 above it. */
export function isBelowCeiling(name: string, value: string): boolean {
  const ceiling = CEILINGS[name];
  if (ceiling === undefined) return false;
  if (/^\d+$/.test(value) && Number(value) > 0 && Number(value) <= ceiling) return true;
  const text = `Setting ${name} of a read-only account is 1 to ${String(ceiling)}`;
  throw new EngineException(452, 'SETTING_CONSTRAINT_VIOLATION', text);
}
