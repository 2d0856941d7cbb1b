/** Reads ClickHouse for the App API: each workspace within its share, each question within its bounds. */
import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client';
import type { Query } from '../app/plugin.ts';
import { toWorkspace } from '../../schemas/ids.ts';
import { CodedError } from '../runtime/errors.ts';
import type { GatewayConfig } from './config.ts';
import { FairQueue, type QueueLimits } from './questions/fair-queue.ts';
import {
  isUnsettable,
  limitOf,
  questionBounds,
  questionLimits,
  questionSettings,
  type QuestionBounds,
} from './questions/question-settings.ts';
import type { QuietLog } from './quiet-log.ts';

/** Beyond a question's own bound, for an engine that does not answer at all. */
const graceMs = 2_000;
const MS_PER_S = 1_000;
const answersMsMax = 10_000;

export interface Clickhouse {
  readonly query: Query;
  readonly questions: Pick<FairQueue, 'counts' | 'countsOf'>;
  /** Whether ClickHouse answers, asked beside all questions of workspaces. */
  answers(): Promise<void>;
  close(): Promise<void>;
}

export interface ClickhouseOptions {
  readonly log: Pick<QuietLog, 'say'>;
  /** Others than usual, for tests. */
  readonly limits?: QueueLimits;
  readonly bounds?: QuestionBounds;
}

type Row = Readonly<Record<string, unknown>>;

export function openClickhouse(
  { clickhouse }: Pick<GatewayConfig, 'clickhouse'>,
  { log, limits = questionLimits, bounds = questionBounds }: ClickhouseOptions,
): Clickhouse {
  const clients = openClients(clickhouse, { limits, bounds });
  const questions = new FairQueue(limits);
  let settings: ReturnType<typeof questionSettings> | undefined = questionSettings(bounds);

  const ask = async (query: string, query_params: Record<string, unknown>): Promise<Row[]> => {
    const result = await clients.questions.query({
      query,
      query_params,
      format: 'JSONEachRow',
      ...(settings !== undefined && { clickhouse_settings: settings }),
    });
    return await result.json<Row>();
  };
  /** An account that may set nothing has bounds of its own, which its server holds. */
  const askAs = async (query: string, parameters: Record<string, unknown>): Promise<Row[]> => {
    try {
      return await ask(query, parameters);
    } catch (error) {
      if (settings === undefined || !isUnsettable(error)) throw error;
      const text = 'the account of ClickHouse may set no bounds of a question: those of its profile count';
      log.say('warn', 'question_unbounded', text, { error });
      settings = undefined;
      return await ask(query, parameters);
    }
  };
  return {
    questions,
    query: async (sql, parameters) =>
      await questions.run(toWorkspace(parameters.workspace), async () => {
        try {
          return await askAs(sql, { ...parameters });
        } catch (error) {
          throw faultOf(error, bounds);
        }
      }),
    answers: async () => {
      const result = await clients.health.query({ query: 'SELECT 1', format: 'JSONEachRow' });
      await result.text();
    },
    close: async () => {
      await Promise.all([clients.questions.close(), clients.health.close()]);
    },
  };
}

function openClients(
  { url, username, password, database, layout }: GatewayConfig['clickhouse'],
  { limits, bounds }: { readonly limits: QueueLimits; readonly bounds: QuestionBounds },
): { readonly questions: ClickHouseClient; readonly health: ClickHouseClient } {
  // Whoever asks can make questions fail as often as they like: the door says so, a line a minute for each kind.
  const log = { level: ClickHouseLogLevel.OFF };
  const address = { url, username, password, database, log };
  return {
    questions: createClient({
      ...address,
      // A subquery over shards is asked once and its answer sent along. Not set elsewhere: a read-only account may set nothing.
      clickhouse_settings: layout.type === 'sharded' ? { distributed_product_mode: 'global' } : {},
      request_timeout: bounds.secondsMax * MS_PER_S + graceMs,
      max_open_connections: limits.runningMax,
      // A list of names outgrows what a URL may hold; then it goes in the body.
      use_multipart_params_auto: true,
    }),
    health: createClient({ ...address, request_timeout: answersMsMax, max_open_connections: 2 }),
  };
}

function faultOf(cause: unknown, { secondsMax }: QuestionBounds): CodedError {
  const code = limitOf(cause);
  if (code === undefined)
    return new CodedError('clickhouse_unavailable', 'could not read ClickHouse', { cause });
  const why =
    code === 'question_too_slow'
      ? `it took longer than ${String(secondsMax)} s`
      : 'it takes more memory or rows than one question may';
  return new CodedError(code, `could not answer: ${why}; ask for less`, { cause });
}
