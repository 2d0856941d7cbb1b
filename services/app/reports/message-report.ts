/**
 * `GET /v1/definitions/messages/{id}/report`: what came of an on-site message, a row for each version and arm, as the view
 * `message_report` has it, and why it was not shown, a row for each version and reason. Also of one that is deleted, as
 * long as its versions are known.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { answer, notFound, unauthorized, workspaceOf } from '../answers.ts';
import type { AppKeys, DefinitionsStore, Query } from '../ports.ts';

export interface MessageReportOptions {
  readonly keys: Pick<AppKeys, 'app'>;
  readonly definitions: Pick<DefinitionsStore, 'versions'>;
  readonly query: Query;
}

/** Newest versions first; each has a few arms. */
export const armsMax = 1_000;

export function mountMessageReport(app: FastifyInstance, options: MessageReportOptions): void {
  app.get<{ Params: { id: string } }>('/v1/definitions/messages/:id/report', (request, reply) =>
    report(options, request, reply),
  );
}

async function report(
  { keys, definitions, query }: MessageReportOptions,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const workspace = workspaceOf(keys, request);
  if (workspace === undefined) return unauthorized(reply);
  const { id } = request.params;
  if (definitions.versions('message', workspace, id).length === 0) return notFound(reply, `message ${id}`);
  const rows = await query(REPORT, { workspace, message: id, limit: armsMax });
  const refused = await query(REFUSALS, { workspace, message: id, limit: armsMax });
  return answer(reply, 200, { id, arms: rows.map(numbered), refusals: refused.map(numbered) });
}

/** ClickHouse writes 64-bit numbers as text; texts, maps and what is NULL stay as they are. */
function numbered(row: Readonly<Record<string, unknown>>): object {
  const told = Object.entries(row).map(([name, value]) => [name, COUNTS.has(name) ? Number(value) : value]);
  return Object.fromEntries(told) as object;
}

const NAMES =
  'version people visitors identified shown clicked dismissed snoozed submitted click_through view_through converted conversions compared';
const COUNTS: ReadonlySet<string> = new Set([...NAMES.split(' '), 'refused']);

const REPORT = `
  SELECT variant, ${NAMES.replaceAll(' ', ', ')}, value, rate, rate_low, rate_high, compared_rate, lift
  FROM message_report
  WHERE workspace = {workspace:String} AND message_id = {message:String}
  ORDER BY version DESC, variant = 'holdout', variant
  LIMIT {limit:UInt32}`;

/** A refusal is logged once an hour for each visitor and reason. */
const REFUSALS = `
  SELECT version, reason, count() AS refused, uniqExact(anonymous_id) AS visitors
  FROM message_events
  WHERE workspace = {workspace:String} AND message_id = {message:String} AND event = 'refused'
  GROUP BY version, reason
  ORDER BY version DESC, refused DESC, reason
  LIMIT {limit:UInt32}`;
