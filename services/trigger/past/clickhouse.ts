/** The past of rules from ClickHouse. The only file of the service that imports its client. */
import { setImmediate as turn } from 'node:timers/promises';
import { createClient, type ClickHouseClient, type ResultSet } from '@clickhouse/client';
import type { EventType } from '../../rules/condition.ts';
import { deviceIn } from '../../rules/devices.ts';
import { windowTime } from '../../rules/matching.ts';
import { parseJsonObject, type JsonObject } from '../../rules/paths.ts';
import type { ClickHouseSettings } from '../../runtime/clickhouse-settings.ts';
import {
  ASOF,
  BEFORE,
  ClickhouseHistory,
  CONTEXT_OF_DEVICES,
  HAPPENS,
  OF_PEOPLE,
} from './clickhouse-history.ts';
import type { HistorySource } from './history-source.ts';
import { ClickhousePlacing } from './clickhouse-placing.ts';
import { isUnsettable, readingBounds, readingSettings, type ReadingBounds } from './reading-bounds.ts';
import type {
  AskRows,
  PastEvent,
  PastHistories,
  PastRead,
  PastSource,
  PersonQuestion,
  Row,
  SharedQuestion,
} from './source.ts';

/** Between two rows. */
const rowMsMax = 60_000;

export class ClickhousePast implements PastSource {
  readonly #client: ClickHouseClient;
  readonly #ended = new AbortController();

  /** undefined: the account may set none. */
  #settings: ReturnType<typeof readingSettings> | undefined;

  readonly #askRows: AskRows = async (query, parameters) => (await this.#ask(query, parameters)).json<Row>();

  constructor(
    { url, username, password, database, layout }: ClickHouseSettings,
    bounds: ReadingBounds = readingBounds,
  ) {
    this.#settings = readingSettings(bounds);
    this.#client = createClient({
      ...{ url, username, password, database },
      clickhouse_settings: layout.type === 'sharded' ? { distributed_product_mode: 'global' } : {},
      request_timeout: rowMsMax,
      max_open_connections: 2,
      use_multipart_params_auto: true,
    });
  }

  async read(question: SharedQuestion): Promise<PastRead> {
    const parameters = parametersOf(question);
    const [facts] = await this.#askRows(ASOF, parameters);
    const moved = await this.#askRows(`${MOVED} AND ${HAPPENS} ${named(question.names)}`, parameters);
    const counted = await this.#askRows(
      `SELECT _partition, uniqExact(person_id) FROM stored_merged WHERE ${where(question)} GROUP BY _partition`,
      parameters,
    );
    const movedTo = new Map(
      moved.map(([partition, offset, personId]) => [placeOf(partition, offset), String(personId)]),
    );
    return {
      people: new Map(counted.map(([partition, people]) => [Number(partition), Number(people)])),
      asOf: Number(facts?.[0]),
      asOfFact: Number(facts?.[1]),
      events: this.#events(question, movedTo),
    };
  }

  async person({ workspace, personId, names, factsTo }: PersonQuestion): ReturnType<PastSource['person']> {
    const asked = { workspace, names: names ?? [], facts_to: factsTo, person: personId };
    const [facts] = await this.#askRows(ASOF, asked);
    const [resolved] = await this.#askRows(TODAY, asked);
    const today = resolved === undefined ? personId : String(resolved[0]);
    const query = `
      SELECT ${columnsOf('written_id')} FROM resolved_rows
      WHERE workspace = {workspace:String} AND ${OF_PEOPLE} AND ${HAPPENS} ${named(names)}
      ORDER BY ${AS_IT_HAPPENED}`;
    return {
      asOf: Number(facts?.[0]),
      asOfFact: Number(facts?.[1]),
      // An empty text is nobody.
      events: this.#happened(today === '' ? NOTHING : query, { ...asked, people: [today] }),
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

  async *#events(question: SharedQuestion, movedTo: ReadonlyMap<string, string>): AsyncGenerator<PastEvent> {
    const query = `
      SELECT ${columnsOf('person_id')} FROM stored_merged
      WHERE ${where(question)} AND person_id >= {from:String} ORDER BY person_id, _partition, ${AS_IT_HAPPENED}`;
    for await (const row of this.#stream(query, parametersOf(question))) {
      const event = eventOf(row, movedTo);
      if (event.personId !== '') yield event; // else it is nobody's any more
    }
  }

  async *#happened(query: string, parameters: Parameters): AsyncGenerator<PastEvent['event']> {
    for await (const row of this.#stream(query, parameters)) yield eventOf(row, noMoves).event;
  }

  async *#stream(query: string, parameters: Parameters): AsyncGenerator<Row> {
    const result = await this.#ask(query, parameters);
    for await (const rows of result.stream<Row>()) {
      for (const row of rows) yield row.json();
      await turn(); // rows that are there come without one, however many, and what is to be decided meanwhile waits
    }
  }

  async #ask(query: string, parameters: Parameters): Promise<ResultSet<'JSONCompactEachRow'>> {
    const settings = this.#settings;
    try {
      return await this.#client.query({
        ...{ query, query_params: { ...parameters }, format: 'JSONCompactEachRow' as const },
        abort_signal: this.#ended.signal,
        ...(settings !== undefined && { clickhouse_settings: settings }),
      });
    } catch (error) {
      if (settings === undefined || !isUnsettable(error)) throw error;
      this.#settings = undefined;
      return await this.#ask(query, parameters);
    }
  }
}

type Parameters = Readonly<Record<string, unknown>>;
const noMoves: ReadonlyMap<string, string> = new Map();

function parametersOf({ workspace, names, factsTo, parts }: SharedQuestion): Parameters {
  const from = parts.reduce((least, part) => (part.from < least ? part.from : least), parts[0]?.from ?? '');
  const [partitions, fences] = [parts.map(({ partition }) => partition), parts.map(({ fence }) => fence)];
  return { workspace, partitions, fences, from, names: names ?? [], facts_to: factsTo };
}

/** Of the record on events.merged. */
function placeOf(partition: unknown, offset: unknown): string {
  return `${String(partition)} ${String(offset)}`;
}

/** What a condition keeps of very many events is exact where they come in the order of their times. */
const AS_IT_HAPPENED = 'least(timestamp, received_at), _offset';

/** Who has been split apart: their events by place. An empty text is nobody. */
const MOVED = `
  SELECT _partition, _offset, today_id FROM resolved_rows
  WHERE workspace = {workspace:String} AND ${BEFORE}
    AND written_id GLOBAL IN (SELECT person_id FROM stored_moves)`;
/** Who somebody is who was merged into another, or is gone; no row: who they were. */
const TODAY = `SELECT today_id FROM stored_today FINAL WHERE name_kind = '' AND person_id = {person:String}`;

const NOTHING = 'SELECT 1 WHERE 0';

function columnsOf(writtenId: string): string {
  return `
    ${writtenId}, type, name, message_id, toUnixTimestamp64Milli(timestamp), toUnixTimestamp64Milli(received_at),
    properties, bot, ${CONTEXT_OF_DEVICES}, _partition, _offset`;
}

function where({ names }: SharedQuestion): string {
  return `workspace = {workspace:String} AND ${BEFORE} AND ${HAPPENS} ${named(names)}`;
}

function named(names: readonly string[] | null): string {
  return names === null ? '' : 'AND name IN {names:Array(String)}';
}

function eventOf(
  [writtenId, type, name, messageId, timestamp, received, properties, bot, context, partition, offset]: Row,
  movedTo: ReadonlyMap<string, string>,
): PastEvent {
  const receivedAt = Number(received);
  let parsed: JsonObject | undefined;
  return {
    writtenId: String(writtenId),
    personId: (movedTo.size > 0 ? movedTo.get(placeOf(partition, offset)) : undefined) ?? String(writtenId),
    partition: Number(partition),
    offset: Number(offset),
    event: {
      name: typeof name === 'string' ? name : null,
      type: type as EventType, // as asked for
      messageId: String(messageId),
      time: windowTime(Number(timestamp), receivedAt),
      receivedAt,
      properties: () => (parsed ??= parseJsonObject(typeof properties === 'string' ? properties : null)),
      isBot: () => bot === true,
      device: () => deviceIn(typeof context === 'string' ? context : null),
    },
  };
}
