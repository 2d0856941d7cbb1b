/** What is asked of ClickHouse: often and little while it runs, by the analysts' views once at the end. */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import type { Database } from './target.ts';

const askMsMax = 30_000;
/** Rows that came before are of no interest to who looks for an event of a moment ago. */
const backSeconds = 300;

export class Reader {
  #client: ClickHouseClient;

  constructor(database: Database) {
    this.#client = clientOf(database);
  }
  /** After a start the engine may listen elsewhere. */
  async reopen(database: Database): Promise<void> {
    await this.#client.close();
    this.#client = clientOf(database);
  }
  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Which of these are events of a person. Asks the table, since this is asked every moment and must cost nothing. */
  async merged(workspace: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#found(
      `SELECT DISTINCT message_id AS id FROM stored_merged
       WHERE workspace = {workspace:String} AND received_at > now64(3) - {back:UInt32}
         AND message_id IN (${listOf(ids)})`,
      { workspace, back: backSeconds },
    );
  }
  /** Which of these have led into a journey. */
  async entered(workspace: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#found(
      `SELECT DISTINCT trigger_message_id AS id FROM stored_journey_entries
       WHERE workspace = {workspace:String} AND trigger_message_id IN (${listOf(ids)})`,
      { workspace },
    );
  }

  /** How often each is in the view `events`, by how often. */
  async timesSeen(workspace: string, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#rows<{ id: string; times: number }>(
      `SELECT message_id AS id, toUInt32(count()) AS times FROM events
       WHERE workspace = {workspace:String} AND message_id IN (${listOf(ids)}) GROUP BY id`,
      { workspace },
    );
    return new Map(rows.map(({ id, times }) => [id, times]));
  }
  /** What was dropped, and how often, by reason; `stage: reason`. */
  async dropped(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#rows<{ what: string; times: number }>(
      `SELECT concat(stage, ': ', reason) AS what, toUInt32(count()) AS times FROM dropped
       GROUP BY what ORDER BY what`,
      {},
    );
    return new Map(rows.map(({ what, times }) => [what, times]));
  }

  /** Empty where the engine does not answer: who waits goes on waiting. */
  async #found(query: string, params: Record<string, unknown>): Promise<ReadonlySet<string>> {
    const rows = await this.#rows<{ id: string }>(query, params).catch(() => []);
    return new Set(rows.map(({ id }) => id));
  }

  async #rows<Row>(query: string, params: Record<string, unknown>): Promise<Row[]> {
    const result = await this.#client.query({ query, query_params: params, format: 'JSONEachRow' });
    return result.json<Row>();
  }
}

/** Ours, of letters, digits and dashes; parameters stand in the address, where so many have no room. */
function listOf(ids: readonly string[]): string {
  return ids.map((id) => `'${id}'`).join(', ');
}

function clientOf({ url, user, password, database }: Database): ClickHouseClient {
  return createClient({ url, username: user, password, database, request_timeout: askMsMax });
}
