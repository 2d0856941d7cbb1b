-- JSON has no largest number, and the engine's reader has: one integer beyond 64 bits, or 1e400, and it finds nothing in
-- the whole text. So where digits or exponents are that long the text is cut into strings, numbers and the rest, and each
-- number is given as a double, or as 0 where no double holds it. Other texts, which are nearly all, cost one search.
ALTER TABLE stored_merged
  MODIFY COLUMN campaign_source LowCardinality(String)
    MATERIALIZED JSONExtract(if(match(ifNull(context, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(context, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(context, '{}')), 'campaign', 'Tuple(source String, name String)').1,
  MODIFY COLUMN campaign_name LowCardinality(String)
    MATERIALIZED JSONExtract(if(match(ifNull(context, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(context, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(context, '{}')), 'campaign', 'Tuple(source String, name String)').2,
  MODIFY COLUMN total Float64
    MATERIALIZED JSONExtract(if(match(ifNull(properties, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(properties, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(properties, '{}')), 'Tuple(total Float64, journey_id String, holdout Bool)').1,
  MODIFY COLUMN journey_id LowCardinality(String)
    MATERIALIZED JSONExtract(if(match(ifNull(properties, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(properties, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(properties, '{}')), 'Tuple(total Float64, journey_id String, holdout Bool)').2,
  MODIFY COLUMN holdout Bool
    MATERIALIZED JSONExtract(if(match(ifNull(properties, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(properties, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(properties, '{}')), 'Tuple(total Float64, journey_id String, holdout Bool)').3,
  MODIFY COLUMN shape LowCardinality(String)
    MATERIALIZED arrayStringConcat(arraySort(arrayMap(pair -> concat(pair.1, ':', translate(left(pair.2, 1), '"{[tfn123456789-', '"{[bbn0000000000')), JSONExtractKeysAndValuesRaw(if(match(ifNull(properties, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(properties, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(properties, '{}'))))), char(31));

ALTER TABLE stored_collected
  MODIFY COLUMN campaign_source LowCardinality(String)
    MATERIALIZED JSONExtract(if(match(ifNull(context, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(context, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(context, '{}')), 'campaign', 'Tuple(source String, name String)').1,
  MODIFY COLUMN campaign_name LowCardinality(String)
    MATERIALIZED JSONExtract(if(match(ifNull(context, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(context, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(context, '{}')), 'campaign', 'Tuple(source String, name String)').2,
  MODIFY COLUMN shape LowCardinality(String)
    MATERIALIZED arrayStringConcat(arraySort(arrayMap(pair -> concat(pair.1, ':', translate(left(pair.2, 1), '"{[tfn123456789-', '"{[bbn0000000000')), JSONExtractKeysAndValuesRaw(if(match(ifNull(properties, '{}'), '[0-9]{19}|[0-9][eE][+]?[0-9]{2}'), arrayStringConcat(arrayMap(token -> if(match(token, '^-?[0-9]'), if(isFinite(toFloat64OrZero(token)), if(match(token, '^-?[0-9]{19,}$'), concat(token, '.0'), token), '0'), token), extractAll(ifNull(properties, '{}'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), ifNull(properties, '{}'))))), char(31));

-- In the background; until then rows of before have what they had.
ALTER TABLE stored_merged
  MATERIALIZE COLUMN campaign_source, MATERIALIZE COLUMN campaign_name, MATERIALIZE COLUMN total,
  MATERIALIZE COLUMN journey_id, MATERIALIZE COLUMN holdout, MATERIALIZE COLUMN shape
  SETTINGS mutations_sync = 0;
ALTER TABLE stored_collected
  MATERIALIZE COLUMN campaign_source, MATERIALIZE COLUMN campaign_name, MATERIALIZE COLUMN shape
  SETTINGS mutations_sync = 0;

-- Emails are in lower case of Unicode in the facts, so rows have to be looked up by that too. Ingest writes them so now;
-- rows of before are as they were sent.
-- Every row with the person of today, by three lookups: for those who ask for some people's rows by the sort key.
CREATE OR REPLACE VIEW resolved_rows AS
SELECT
  rows.person_id AS written_id,
  multiIf(
    arrayExists(move -> move.1 > rows.decided_as_of, moves.moves), arrayFirst(move -> move.1 > rows.decided_as_of, moves.moves).2,
    people.version > 0, people.today_id,
    rows.person_id
  ) AS today_id,
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name,
  rows.timestamp AS timestamp, rows.received_at AS received_at, rows.merged_at AS merged_at,
  rows.previously_anonymous AS previously_anonymous, rows.anonymous_id AS anonymous_id, rows.properties AS properties,
  rows.context AS context, rows.campaign_source AS campaign_source, rows.campaign_name AS campaign_name,
  rows.total AS total, rows.journey_id AS journey_id, rows.holdout AS holdout, rows.shape AS shape,
  rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT
    *, campaign_source, campaign_name, total, journey_id, holdout, shape,
    reinterpretAsUInt128(sipHash128(
      toString(workspace),
      if(identifier_kind = 'none', 'anonymous_id', toString(identifier_kind)),
      multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lowerUTF8(ifNull(identifier, '')), ifNull(identifier, ''))
    )) AS name_key
  FROM stored_merged
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (
  SELECT person_id, name_key, arraySort(groupArray((before, today_id))) AS moves FROM stored_moves FINAL GROUP BY person_id, name_key
) AS moves
  ON rows.person_id = moves.person_id AND rows.name_key = moves.name_key;
