-- What most questions ask of an event's JSON, taken out once when the row is written. The columns are worked out by the
-- engine inside the insert, so they are in a part or not with their row; rows of before have them when they are read,
-- and on the disk once the mutations below are through. A projection that groups by person and visitor was tried:
-- people who come back are in every part, so it read a quarter of the rows and cost more than the insert itself.
-- shape is the event's properties by name, each `name:type`, with a type of " text, 0 number, b boolean, n null,
-- { object or [ list, in the order of their names, with the ASCII unit separator between them.
ALTER TABLE stored_merged
  ADD COLUMN IF NOT EXISTS campaign_source LowCardinality(String)
    MATERIALIZED JSONExtract(ifNull(context, '{}'), 'campaign', 'Tuple(source String, name String)').1,
  ADD COLUMN IF NOT EXISTS campaign_name LowCardinality(String)
    MATERIALIZED JSONExtract(ifNull(context, '{}'), 'campaign', 'Tuple(source String, name String)').2,
  ADD COLUMN IF NOT EXISTS total Float64
    MATERIALIZED JSONExtract(ifNull(properties, '{}'), 'Tuple(total Float64, journey_id String, holdout Bool)').1,
  ADD COLUMN IF NOT EXISTS journey_id LowCardinality(String)
    MATERIALIZED JSONExtract(ifNull(properties, '{}'), 'Tuple(total Float64, journey_id String, holdout Bool)').2,
  ADD COLUMN IF NOT EXISTS holdout Bool
    MATERIALIZED JSONExtract(ifNull(properties, '{}'), 'Tuple(total Float64, journey_id String, holdout Bool)').3,
  ADD COLUMN IF NOT EXISTS shape LowCardinality(String)
    MATERIALIZED arrayStringConcat(arraySort(arrayMap(pair -> concat(pair.1, ':', translate(left(pair.2, 1), '"{[tfn123456789-', '"{[bbn0000000000')), JSONExtractKeysAndValuesRaw(ifNull(properties, '{}')))), char(31));

-- visitor_key is what claims are joined by: 128 bits of a hash, as the engine's own sets and exact counts compare, and
-- a third of the price of comparing workspace and anonymous id.
ALTER TABLE stored_collected
  ADD COLUMN IF NOT EXISTS campaign_source LowCardinality(String)
    MATERIALIZED JSONExtract(ifNull(context, '{}'), 'campaign', 'Tuple(source String, name String)').1,
  ADD COLUMN IF NOT EXISTS campaign_name LowCardinality(String)
    MATERIALIZED JSONExtract(ifNull(context, '{}'), 'campaign', 'Tuple(source String, name String)').2,
  ADD COLUMN IF NOT EXISTS shape LowCardinality(String)
    MATERIALIZED arrayStringConcat(arraySort(arrayMap(pair -> concat(pair.1, ':', translate(left(pair.2, 1), '"{[tfn123456789-', '"{[bbn0000000000')), JSONExtractKeysAndValuesRaw(ifNull(properties, '{}')))), char(31)),
  ADD COLUMN IF NOT EXISTS visitor_key UInt128
    MATERIALIZED reinterpretAsUInt128(sipHash128(workspace, ifNull(anonymous_id, ''))) CODEC(ZSTD(1));

-- A visitor's events among those of people: a few granules instead of all.
ALTER TABLE stored_merged ADD INDEX IF NOT EXISTS visitors anonymous_id TYPE bloom_filter GRANULARITY 1;

-- In the background; until then what is missing is worked out by whoever reads it.
ALTER TABLE stored_merged
  MATERIALIZE COLUMN campaign_source, MATERIALIZE COLUMN campaign_name, MATERIALIZE COLUMN total,
  MATERIALIZE COLUMN journey_id, MATERIALIZE COLUMN holdout, MATERIALIZE COLUMN shape
  SETTINGS mutations_sync = 0;
ALTER TABLE stored_merged MATERIALIZE INDEX visitors SETTINGS mutations_sync = 0;
ALTER TABLE stored_collected
  MATERIALIZE COLUMN campaign_source, MATERIALIZE COLUMN campaign_name, MATERIALIZE COLUMN shape, MATERIALIZE COLUMN visitor_key
  SETTINGS mutations_sync = 0;

-- Every row with the person of today, by three lookups: for those who ask for some people's rows by the sort key.
CREATE OR REPLACE VIEW resolved_rows AS
SELECT
  rows.person_id AS written_id,
  multiIf(moves.version > 0, moves.today_id, people.version > 0, people.today_id, rows.person_id) AS today_id,
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name,
  rows.timestamp AS timestamp, rows.received_at AS received_at, rows.merged_at AS merged_at,
  rows.previously_anonymous AS previously_anonymous, rows.anonymous_id AS anonymous_id, rows.properties AS properties,
  rows.context AS context, rows.campaign_source AS campaign_source, rows.campaign_name AS campaign_name,
  rows.total AS total, rows.journey_id AS journey_id, rows.holdout AS holdout, rows.shape AS shape,
  rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT
    *, campaign_source, campaign_name, total, journey_id, holdout, shape,
    if(identifier_kind = 'none', 'anonymous_id', identifier_kind) AS subject_kind,
    multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lower(ifNull(identifier, '')), ifNull(identifier, '')) AS subject
  FROM stored_merged
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (SELECT person_id, workspace, name_kind, value, today_id, version FROM stored_today FINAL WHERE name_kind != '') AS moves
  ON rows.person_id = moves.person_id AND rows.workspace = moves.workspace AND rows.subject_kind = moves.name_kind AND rows.subject = moves.value;

-- Every event with the person of today, and its values. One pass over the rows: who is gone is one lookup, who has been
-- absorbed is found in an array that is worked out once a question. Rows of people from whom something was split off
-- depend on more than the person; these people are few, and found by the sort key.
CREATE OR REPLACE VIEW event_values AS
WITH (
  SELECT (groupArray(person_id), groupArray(today_id))
  FROM (SELECT person_id, today_id FROM stored_today FINAL WHERE name_kind = '')
) AS today
SELECT
  workspace, transform(stored_merged.person_id, today.1, today.2, stored_merged.person_id) AS person_id, message_id, type, name,
  timestamp, received_at, merged_at, previously_anonymous, anonymous_id, properties, context, campaign_source,
  campaign_name, total, journey_id, holdout, shape, _partition, _offset
FROM stored_merged
WHERE stored_merged.person_id GLOBAL NOT IN (SELECT person_id FROM stored_today FINAL WHERE name_kind != '' OR today_id = '')
UNION ALL
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, campaign_source, campaign_name, total, journey_id, holdout, shape, _partition, _offset
FROM resolved_rows
WHERE written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind != '') AND today_id != '';

CREATE OR REPLACE VIEW events AS
SELECT
  workspace, person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous, anonymous_id,
  properties, context, _partition, _offset
FROM event_values;

-- The same for one person, found by the sort key whatever the size of the table: SELECT * FROM person_events(person = …).
CREATE OR REPLACE VIEW person_events AS
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, _partition, _offset
FROM resolved_rows
WHERE (written_id = {person:String} OR written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE today_id = {person:String}))
  AND today_id = {person:String};

-- What the sink takes off the disk.
CREATE OR REPLACE VIEW erased_events AS
SELECT _partition, _offset
FROM stored_merged
WHERE person_id GLOBAL IN (SELECT person_id FROM erased_people)
  AND person_id GLOBAL NOT IN (SELECT person_id FROM stored_today WHERE name_kind != '')
UNION ALL
SELECT _partition, _offset
FROM resolved_rows
WHERE written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind != '') AND today_id = '';

DROP VIEW IF EXISTS resolved_events;

CREATE OR REPLACE VIEW anonymous_event_values AS
SELECT
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
  rows.received_at AS received_at, false AS previously_anonymous, rows.anonymous_id AS anonymous_id,
  rows.properties AS properties, rows.context AS context, rows.campaign_source AS campaign_source,
  rows.campaign_name AS campaign_name, rows.shape AS shape, rows._partition AS _partition, rows._offset AS _offset
FROM (SELECT *, campaign_source, campaign_name, shape, visitor_key FROM stored_collected) AS rows
GLOBAL ANY LEFT JOIN (
  SELECT reinterpretAsUInt128(sipHash128(workspace, anonymous_id)) AS visitor_key, claimed_at FROM claims
) AS claimed ON rows.visitor_key = claimed.visitor_key
WHERE rows.received_at >= (SELECT at FROM watermark) - INTERVAL 30 DAY
  AND (
    ifNull(toUnixTimestamp64Milli(claimed.claimed_at), 0) = 0
    OR rows.received_at < claimed.claimed_at - INTERVAL 30 DAY
    OR rows.received_at > claimed.claimed_at + INTERVAL 5 MINUTE
  )
  AND (rows._partition, rows._offset) GLOBAL NOT IN (
    SELECT event_partition, event_offset FROM stored_dropped WHERE reason = 'duplicate_message'
  );

CREATE OR REPLACE VIEW anonymous_events AS
SELECT
  workspace, message_id, type, name, timestamp, received_at, previously_anonymous, anonymous_id, properties, context,
  _partition, _offset
FROM anonymous_event_values;
