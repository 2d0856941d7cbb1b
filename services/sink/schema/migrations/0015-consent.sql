-- Who withdraws their consent leaves a row of `dropped` that says where in their lane: what of them lies up to there is
-- hidden at once, and taken off the disk within the hour, as of deleted people. What came after it and before they consented
-- again has a row of its own, further on.
CREATE OR REPLACE VIEW withdrawals AS
SELECT workspace, assumeNotNull(anonymous_id) AS anonymous_id, max(event_offset) + 1 AS erased_below, max(at) AS erased_until
FROM stored_dropped
WHERE reason = 'consent_withdrawn' AND anonymous_id IS NOT NULL
GROUP BY workspace, anonymous_id;

-- Found by the key of the table, so that it costs nothing where nobody has.
CREATE OR REPLACE VIEW withdrawn_collected AS
SELECT rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT workspace, assumeNotNull(anonymous_id) AS anonymous_id, _partition, _offset FROM stored_collected
  WHERE (workspace, anonymous_id) GLOBAL IN (SELECT workspace, anonymous_id FROM withdrawals)
) AS rows
GLOBAL INNER JOIN withdrawals AS withdrawn
  ON rows.workspace = withdrawn.workspace AND rows.anonymous_id = withdrawn.anonymous_id
WHERE rows._offset < withdrawn.erased_below;

-- As it was, but that every event of a visitor is found: ANY would find one of each, and the others an hour later each.
CREATE OR REPLACE VIEW erased_collected AS
SELECT rows._partition AS _partition, rows._offset AS _offset
FROM stored_collected AS rows
GLOBAL INNER JOIN (
  SELECT workspace, identifier AS anonymous_id, minIf(at, kind = 'anonymous_claimed') AS claimed_at
  FROM stored_facts
  WHERE kind IN ('anonymous_claimed', 'anonymous_moved')
  GROUP BY workspace, identifier
  HAVING argMax(person_id, number) GLOBAL IN (SELECT person_id FROM erased_people)
) AS claimed ON rows.workspace = claimed.workspace AND rows.anonymous_id = claimed.anonymous_id
WHERE rows.received_at <= claimed.claimed_at + INTERVAL 5 MINUTE;

CREATE OR REPLACE VIEW withdrawn_message_events AS
SELECT rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT workspace, anonymous_id, at, _partition, _offset FROM stored_message_events
  WHERE (workspace, anonymous_id) GLOBAL IN (SELECT workspace, anonymous_id FROM withdrawals)
) AS rows
GLOBAL INNER JOIN withdrawals AS withdrawn
  ON rows.workspace = withdrawn.workspace AND rows.anonymous_id = withdrawn.anonymous_id
WHERE rows.at <= withdrawn.erased_until;

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
  )
  AND (rows._partition, rows._offset) GLOBAL NOT IN (SELECT _partition, _offset FROM withdrawn_collected);
