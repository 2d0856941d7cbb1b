/** The past of rules from ClickHouse. The only file of the service that imports its client. */
import { createClient, type ClickHouseClient } from '@clickhouse/client';
import type { EventType } from '../../rules/condition.ts';
import { windowTime } from '../../rules/matching.ts';
import { parseJsonObject, type JsonObject } from '../../rules/paths.ts';
import type { ClickHouseSettings } from '../../runtime/clickhouse-settings.ts';
import { ClickhouseHistory } from './clickhouse-history.ts';
import type { HistorySource } from './history-source.ts';
import { ClickhousePlacing } from './clickhouse-placing.ts';
import type { AskRows, PastEvent, PastHistories, PastQuestion, PastRead, PastSource, Row } from './source.ts';

/** Between two rows. */
const rowMsMax = 60_000;

export class ClickhousePast implements PastSource {
  readonly #client: ClickHouseClient;
  readonly #ended = new AbortController();

  readonly #askRows: AskRows = async (query, parameters) => {
    const format = 'JSONCompactEachRow';
    const abort_signal = this.#ended.signal;
    const result = await this.#client.query({ query, query_params: { ...parameters }, format, abort_signal });
    return result.json<Row>();
  };

  constructor({ url, username, password, database, layout }: ClickHouseSettings) {
    this.#client = createClient({
      ...{ url, username, password, database },
      clickhouse_settings: layout.type === 'sharded' ? { distributed_product_mode: 'global' } : {},
      request_timeout: rowMsMax,
      max_open_connections: 2,
      use_multipart_params_auto: true,
    });
  }

  async read(question: PastQuestion): Promise<PastRead> {
    const [facts] = await this.#rows(ASOF, question);
    const moved = await this.#rows(MOVED, question);
    const [counted] = await this.#rows(
      `SELECT uniqExact(person_id) FROM stored_merged WHERE ${where(question)}`,
      question,
    );
    const movedTo = new Map(moved.map(([offset, personId]) => [Number(offset), String(personId)]));
    return {
      people: Number(counted?.[0]),
      asOf: Number(facts?.[0]),
      events: this.#events(question, movedTo),
    };
  }

  /** For what is asked by HTTP, over the same connections. */
  get history(): HistorySource {
    return new ClickhouseHistory(this.#askRows);
  }

  /** For the past of the triggers of journeys. */
  get placing(): PastHistories {
    return new ClickhousePlacing(this.#askRows);
  }

  /** What is being read ends. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#client.close();
  }

  async *#events(question: PastQuestion, movedTo: ReadonlyMap<number, string>): AsyncGenerator<PastEvent> {
    const query = `SELECT ${COLUMNS} FROM stored_merged WHERE ${where(question)} ORDER BY person_id`;
    const result = await this.#ask(query, question);
    for await (const rows of result.stream<Row>()) {
      for (const row of rows) {
        const event = eventOf(row.json(), movedTo);
        if (event.personId !== '') yield event; // else it is nobody's any more
      }
    }
  }

  async #rows(query: string, question: PastQuestion): Promise<readonly Row[]> {
    return (await this.#ask(query, question)).json<Row>();
  }

  #ask(query: string, { workspace, partition, fence, names, from }: PastQuestion) {
    return this.#client.query({
      query,
      query_params: { workspace, partition, fence, from, names: names ?? [] },
      format: 'JSONCompactEachRow',
      abort_signal: this.#ended.signal,
    });
  }
}

/** Who has been split apart: their events by place. An empty text is nobody. */
const MOVED = `
  SELECT _offset, today_id FROM resolved_rows
  WHERE workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64}
    AND written_id GLOBAL IN (SELECT person_id FROM stored_moves)`;
const ASOF = `SELECT toUnixTimestamp64Milli(max(at)) FROM stored_facts WHERE workspace = {workspace:String}`;
const COLUMNS = `
  person_id, type, name, message_id, toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Milli(received_at), properties,
  bot, _offset`;

function where({ names }: PastQuestion): string {
  const named = names === null ? '' : 'AND name IN {names:Array(String)}';
  return `workspace = {workspace:String} AND _partition = {partition:UInt16} AND _offset < {fence:UInt64}
    AND person_id >= {from:String} AND type IN ('event', 'page', 'screen') ${named}`;
}

function eventOf(
  [writtenId, type, name, messageId, timestamp, received, properties, bot, place]: Row,
  movedTo: ReadonlyMap<number, string>,
): PastEvent {
  const [offset, receivedAt] = [Number(place), Number(received)];
  let parsed: JsonObject | undefined;
  return {
    writtenId: String(writtenId),
    personId: movedTo.get(offset) ?? String(writtenId),
    offset,
    event: {
      name: typeof name === 'string' ? name : null,
      type: type as EventType, // as asked for
      messageId: String(messageId),
      time: windowTime(Number(timestamp), receivedAt),
      receivedAt,
      properties: () => (parsed ??= parseJsonObject(typeof properties === 'string' ? properties : null)),
      isBot: () => bot === true,
    },
  };
}
