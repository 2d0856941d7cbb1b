/** `GET /v1/schema-report` and `GET /v1/merge-report`: what to mend in what a shop sends (spec E rows 89, 95). */
import type { FastifyInstance } from 'fastify';
import { settingsOf } from '../../runtime/workspace-settings.ts';
import { appRoute, badCall, isFault, type AppCall, type AppFault } from '../app-route.ts';
import type { AppKeys, DefinitionsStore, LiveSource, Query } from '../ports.ts';
import { mergeReport } from './merge-report.ts';
import { schemaReport, type ShapeRow } from './schema-report.ts';

export interface ReportsOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: Pick<DefinitionsStore, 'get'>;
  readonly query: Query;
  readonly live: Pick<LiveSource, 'refusals'>;
  /** ms; the standing clock where there is one. */
  readonly now: () => number;
}

/** Names, spellings and shapes together; whoever sends more has names made of ids. */
export const shapesMax = 5_000;
const daysUsual = 7;
const daysMax = 31;
const DAY_MS = 86_400_000;

export function mountReports(app: FastifyInstance, options: ReportsOptions): void {
  const { keys } = options;
  app.get(
    '/v1/schema-report',
    appRoute(keys, (call) => schemas(options, call)),
  );
  app.get(
    '/v1/merge-report',
    appRoute(keys, (call) => merges(options, call)),
  );
}

function sinceOf({ now }: ReportsOptions, { days = String(daysUsual) }: AppCall['query']) {
  const asked = typeof days === 'string' && /^\d{1,3}$/.test(days) ? Number(days) : 0;
  if (asked < 1 || asked > daysMax) return badCall(`days must be a number from 1 to ${String(daysMax)}`);
  return { days: asked, since: now() - asked * DAY_MS };
}

async function schemas(options: ReportsOptions, { workspace, query: asked }: AppCall) {
  const span = sinceOf(options, asked);
  if (isFault(span)) return span;
  const { event = '' } = asked;
  if (typeof event !== 'string') return badCall('event must be one name');
  const rows = await options.query(SHAPES, { workspace, since: span.since, event, limit: shapesMax + 1 });
  const report = schemaReport(
    rows.slice(0, shapesMax).map(shapeRow),
    settingsOf(options.definitions, workspace),
  );
  return { days: span.days, ...(rows.length > shapesMax && { more_than_shapes: shapesMax }), ...report };
}

async function merges(
  options: ReportsOptions,
  { workspace, query: asked }: AppCall,
): Promise<object | AppFault> {
  const span = sinceOf(options, asked);
  if (isFault(span)) return span;
  const { flagged_patterns: flagged } = settingsOf(options.definitions, workspace).guards;
  const report = await mergeReport(options.query, { workspace, since: span.since, flagged });
  return { days: span.days, ...report, refused_to_browser_keys: refused(options, workspace) };
}

/** At this gateway, since it started. */
function refused({ live }: ReportsOptions, workspace: AppCall['workspace']) {
  const counts = live.refusals(workspace) as readonly { readonly reason: string; readonly count: number }[]; // of LiveSource
  const count = counts
    .filter(({ reason }) => reason === 'key_not_allowed')
    .reduce((sum, each) => sum + each.count, 0);
  const advice =
    'Keys in pages may not merge, delete or suppress people. Call from a server, or say browser_keys_may_alias.';
  return { count, advice };
}

function shapeRow(row: Readonly<Record<string, unknown>>): ShapeRow {
  const text = (name: string) => (typeof row[name] === 'string' ? row[name] : '');
  return {
    name: text('name'),
    asSent: text('as_sent'),
    shape: text('shape'),
    events: Number(row['events']),
    firstAt: Number(row['first_at']),
    lastAt: Number(row['last_at']),
    example: text('example'),
  };
}

const COLUMNS = `assumeNotNull(name) AS name, toString(shape) AS shape, received_at, message_id,
  if(position(ifNull(context, ''), '"as_sent"') > 0, JSONExtractString(assumeNotNull(context), 'as_sent', 'name'), '') AS as_sent`;
const LATELY = `workspace = {workspace:String} AND type = 'event' AND name IS NOT NULL
  AND received_at >= fromUnixTimestamp64Milli({since:Int64}) AND ({event:String} = '' OR name = {event:String})`;

const SHAPES = `
  SELECT
    name, as_sent, shape, count() AS events, toUnixTimestamp64Milli(min(received_at)) AS first_at,
    toUnixTimestamp64Milli(max(received_at)) AS last_at, min(message_id) AS example
  FROM (
    SELECT ${COLUMNS} FROM event_values WHERE ${LATELY}
    UNION ALL
    SELECT ${COLUMNS} FROM anonymous_event_values WHERE ${LATELY}
  )
  GROUP BY name, as_sent, shape
  ORDER BY name, events DESC, as_sent, shape
  LIMIT {limit:UInt32}`;
