-- Whether a program that reads pages did it, as its user agent says: false for what came before this was asked.
ALTER TABLE stored_merged ADD COLUMN IF NOT EXISTS bot Bool DEFAULT false;
ALTER TABLE stored_collected ADD COLUMN IF NOT EXISTS bot Bool DEFAULT false;

-- As before, with the new column behind the context.
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
  rows.context AS context, rows.bot AS bot, rows.campaign_source AS campaign_source, rows.campaign_name AS campaign_name,
  rows.total AS total, rows.journey_id AS journey_id, rows.holdout AS holdout, rows.shape AS shape,
  rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT
    *, campaign_source, campaign_name, total, journey_id, holdout, shape,
    reinterpretAsUInt128(substring(SHA256(concat(
      workspace, char(0),
      if(identifier_kind = 'none', 'anonymous_id', toString(identifier_kind)), char(0),
      multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lowerUTF8(ifNull(identifier, '')), ifNull(identifier, ''))
    )), 1, 16)) AS name_key
  FROM stored_merged
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (
  SELECT person_id, name_key, arraySort(groupArray((before, today_id))) AS moves FROM stored_moves FINAL GROUP BY person_id, name_key
) AS moves
  ON rows.person_id = moves.person_id AND rows.name_key = moves.name_key;

CREATE OR REPLACE VIEW event_values AS
WITH (
  SELECT (groupArray(person_id), groupArray(today_id))
  FROM (SELECT person_id, today_id FROM stored_today FINAL WHERE name_kind = '')
) AS today
SELECT
  workspace, transform(stored_merged.person_id, today.1, today.2, stored_merged.person_id) AS person_id, message_id, type, name,
  timestamp, received_at, merged_at, previously_anonymous, anonymous_id, properties, context, bot, campaign_source,
  campaign_name, total, journey_id, holdout, shape, _partition, _offset
FROM stored_merged
WHERE stored_merged.person_id GLOBAL NOT IN (
  SELECT person_id FROM stored_today FINAL WHERE name_kind = '' AND today_id = '' UNION ALL SELECT person_id FROM stored_moves
)
UNION ALL
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, bot, campaign_source, campaign_name, total, journey_id, holdout, shape, _partition, _offset
FROM resolved_rows
WHERE written_id GLOBAL IN (SELECT person_id FROM stored_moves) AND today_id != '';

CREATE OR REPLACE VIEW events AS
SELECT
  workspace, person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous, anonymous_id,
  properties, context, bot, _partition, _offset
FROM event_values;

CREATE OR REPLACE VIEW person_events AS
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, bot, _partition, _offset
FROM resolved_rows
WHERE (
    written_id = {person:String}
    OR written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind = '' AND today_id = {person:String})
    OR written_id GLOBAL IN (SELECT person_id FROM stored_moves WHERE today_id = {person:String})
  )
  AND today_id = {person:String};

CREATE OR REPLACE VIEW anonymous_event_values AS
SELECT
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
  rows.received_at AS received_at, false AS previously_anonymous, rows.anonymous_id AS anonymous_id,
  rows.properties AS properties, rows.context AS context, rows.bot AS bot, rows.campaign_source AS campaign_source,
  rows.campaign_name AS campaign_name, rows.shape AS shape, rows._partition AS _partition, rows._offset AS _offset
FROM (SELECT *, campaign_source, campaign_name, shape, visitor_digest FROM stored_collected) AS rows
GLOBAL ANY LEFT JOIN (
  SELECT reinterpretAsUInt128(substring(SHA256(concat(workspace, char(0), anonymous_id)), 1, 16)) AS visitor_digest, claimed_at FROM claims
) AS claimed ON rows.visitor_digest = claimed.visitor_digest
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
  bot, _partition, _offset
FROM anonymous_event_values;
