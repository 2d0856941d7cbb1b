/** The analysts' tables as the sample reads them. */
import { createClient, type ClickHouseClient } from '@clickhouse/client';

export interface EventRow {
  readonly message_id: string;
  readonly person_id: string;
  readonly anonymous_id: string | null;
  readonly partition: number;
  readonly offset: string;
}

/** Rows of one workspace, read through the contract's tables only. */
export class Tables {
  readonly #client: ClickHouseClient;
  readonly #workspace: string;

  /** @param url with user and password. */
  constructor(url: string, workspace: string, database = 'hindsight') {
    this.#client = createClient({ url, database, request_timeout: 60_000 });
    this.#workspace = workspace;
  }

  /** Rows of events, in the order of the topic. */
  async events(): Promise<EventRow[]> {
    return this.#rows<EventRow>(
      `SELECT message_id, person_id, anonymous_id, _partition AS partition, toString(_offset) AS offset
       FROM events WHERE workspace = {workspace:String} ORDER BY _partition, _offset`,
    );
  }
  async anonymousEvents(): Promise<Omit<EventRow, 'person_id'>[]> {
    return this.#rows(
      `SELECT message_id, anonymous_id, _partition AS partition, toString(_offset) AS offset
       FROM anonymous_events WHERE workspace = {workspace:String} ORDER BY _partition, _offset`,
    );
  }
  async duplicates(): Promise<{ message_id: string }[]> {
    return this.#rows(
      `SELECT message_id FROM dropped WHERE workspace = {workspace:String} AND reason = 'duplicate_message'`,
    );
  }
  /** person_id by the id that the shop gave. */
  async people(): Promise<{ id: string; person_id: string }[]> {
    return this.#rows(
      `SELECT value AS id, person_id FROM identities WHERE workspace = {workspace:String} AND kind = 'id'`,
    );
  }
  async members(segmentId: string): Promise<{ person_id: string }[]> {
    return this.#rows(
      `SELECT person_id FROM segment_memberships WHERE workspace = {workspace:String} AND segment_id = {id:String}`,
      { id: segmentId },
    );
  }
  async entries(journeyId: string): Promise<{ person_id: string }[]> {
    return this.#rows(
      `SELECT person_id FROM journey_entries WHERE workspace = {workspace:String} AND journey_id = {id:String}`,
      { id: journeyId },
    );
  }
  async countOf(personId: string): Promise<number> {
    const [row] = await this.#rows<{ n: string }>(
      `SELECT count() AS n FROM events WHERE workspace = {workspace:String} AND person_id = {person:String}`,
      { person: personId },
    );
    return Number(row?.n ?? 0);
  }
  async close(): Promise<void> {
    await this.#client.close();
  }

  async #rows<Row>(query: string, params: Readonly<Record<string, string>> = {}): Promise<Row[]> {
    const result = await this.#client.query({
      query,
      query_params: { workspace: this.#workspace, ...params },
      format: 'JSONEachRow',
    });
    return result.json<Row>();
  }
}
