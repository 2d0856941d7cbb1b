/** What a reader's query gets of the machine. readonly = 1 goes after these, so that no statement can change them. */
import { availableParallelism } from 'node:os';
import { EngineException } from './exception.ts';
import { limits } from './limits.ts';

/** All readers together: half of the cores, but one for each that runs. */
const threadsMax = Math.max(1, Math.floor(availableParallelism() / 2 / limits.readersRunningMax));

/** A request may set them lower; what asks for more gets these. */
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

/**
 * Settings of what this account cannot do or this engine does not have (inserts, other servers, its log and connections):
 * whatever their value, a question's answer is the same. Drivers send them with each statement.
 */
const CHANGES_NOTHING =
  /^((wait_for_)?async_insert\w*|insert_\w+|max_insert_\w+|min_insert_\w+|use_query_cache|query_cache_\w+|log_quer\w+|log_profile_events|(connect|receive|send|http_connection|http_receive|http_send)_timeout\w*|tcp_keep_alive_timeout|network_compression_method|load_balancing|(alter|mutations|lightweight_deletes)_sync|distributed_\w+|prefer_localhost_replica|fallback_to_stale_replicas_for_distributed_queries|max_replica_delay_for_distributed_queries)$/;

/**
 * A setting of a request as a reader gets it.
 * @param defaults of the engine, by name.
 * @returns its value, at most the reader's share; 'left out' for one that would change nothing; undefined for any other.
 * @throws EngineException 452 for a share that is no number.
 */
export function readerSetting(
  name: string,
  value: string,
  defaults: ReadonlyMap<string, string>,
): { readonly value: string } | 'left out' | undefined {
  const ceiling = CEILINGS[name];
  if (ceiling !== undefined) return { value: shareOf(name, value, ceiling) };
  const isDefault = defaults.has(name) && plain(defaults.get(name) ?? '') === plain(value);
  return isDefault || CHANGES_NOTHING.test(name) ? 'left out' : undefined;
}

/** As a server's constraint would refuse it, tools that ask for 300 s with each question could not be used: they get less. */
function shareOf(name: string, value: string, ceiling: number): string {
  const asked = value.trim() === '' ? NaN : Number(value);
  if (!(asked >= 0)) {
    const text = `Setting ${name} of a read-only account is a number up to ${String(ceiling)}`;
    throw new EngineException(452, 'SETTING_CONSTRAINT_VIOLATION', text);
  }
  return asked === 0 || asked > ceiling ? String(ceiling) : value; // 0 is ClickHouse's word for no bound
}

/** true and 1 are one value. */
function plain(value: string): string {
  const lower = value.toLowerCase();
  return lower === 'true' ? '1' : lower === 'false' ? '0' : lower;
}
