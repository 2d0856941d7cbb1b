-- segments.changed says what turned it: nothing of that is known of rows of before, which say NULL.
ALTER TABLE stored_segment_changes ADD COLUMN IF NOT EXISTS cause LowCardinality(Nullable(String));

CREATE OR REPLACE VIEW segment_changes AS
SELECT workspace, segment_id, resolved_id AS person_id, change, at, cause_message_id, cause, rule_version
FROM (
  SELECT
    rows.workspace AS workspace, rows.segment_id AS segment_id, rows.change AS change, rows.at AS at,
    rows.cause_message_id AS cause_message_id, rows.cause AS cause, rows.rule_version AS rule_version,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_segment_changes AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';

-- A deletion is a line of its own, of whom and when and no more: from the facts, since all that activities had of the
-- person is erased.
CREATE OR REPLACE VIEW activities AS
SELECT workspace, kind, resolved_id AS person_id, anonymous_id, timestamp, processed_at, detail
FROM (
  SELECT
    rows.workspace AS workspace, rows.kind AS kind, rows.anonymous_id AS anonymous_id, rows.timestamp AS timestamp,
    rows.processed_at AS processed_at, rows.detail AS detail,
    if(today.version > 0, ifNull(today.today_id, ''), rows.person_id) AS resolved_id
  FROM stored_activities AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
  WHERE rows.kind != 'Person Deleted'
)
WHERE ifNull(resolved_id, 'nobody') != ''
UNION ALL
SELECT
  workspace, 'Person Deleted' AS kind, person_id, NULL AS anonymous_id, at AS timestamp, toNullable(at) AS processed_at,
  NULL AS detail
FROM stored_facts
WHERE stored_facts.kind = 'person_deleted'
UNION ALL
SELECT
  workspace, concat(upper(substring(type, 1, 1)), substring(type, 2)) AS kind, person_id, anonymous_id, timestamp,
  toNullable(merged_at) AS processed_at,
  concat('{"name":', ifNull(toJSONString(name), 'null'), ',"message_id":', toJSONString(message_id), ',"previously_anonymous":', if(previously_anonymous, 'true', 'false'), ',"properties":', ifNull(properties, 'null'), '}') AS detail
FROM events
UNION ALL
SELECT
  workspace, concat(upper(substring(type, 1, 1)), substring(type, 2)) AS kind, NULL AS person_id, anonymous_id, timestamp,
  NULL AS processed_at,
  concat('{"name":', ifNull(toJSONString(name), 'null'), ',"message_id":', toJSONString(message_id), ',"previously_anonymous":false,"properties":', ifNull(properties, 'null'), '}') AS detail
FROM anonymous_events;
