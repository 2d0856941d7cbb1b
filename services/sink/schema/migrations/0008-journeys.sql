-- journeys.entered says which of a person's runs it is; journeys.skipped is a row for each trigger that led to no entry.
ALTER TABLE stored_journey_entries ADD COLUMN IF NOT EXISTS key Nullable(String) CODEC(ZSTD(1));

CREATE TABLE IF NOT EXISTS stored_journey_skips (
  workspace LowCardinality(String),
  journey_id LowCardinality(String),
  person_id String,
  key Nullable(String) CODEC(ZSTD(1)),
  at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  reason LowCardinality(String),
  trigger_message_id Nullable(String) CODEC(ZSTD(1)),
  rule_version UInt64,
  detail Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (workspace, journey_id, person_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE OR REPLACE VIEW journey_entries AS
SELECT workspace, journey_id, resolved_id AS person_id, entered_at, trigger_message_id, rule_version, key
FROM (
  SELECT
    rows.workspace AS workspace, rows.journey_id AS journey_id, rows.entered_at AS entered_at,
    rows.trigger_message_id AS trigger_message_id, rows.rule_version AS rule_version, rows.key AS key,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_journey_entries AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';

CREATE OR REPLACE VIEW journey_skips AS
SELECT workspace, journey_id, resolved_id AS person_id, key, at, reason, trigger_message_id, rule_version, detail
FROM (
  SELECT
    rows.workspace AS workspace, rows.journey_id AS journey_id, rows.key AS key, rows.at AS at, rows.reason AS reason,
    rows.trigger_message_id AS trigger_message_id, rows.rule_version AS rule_version, rows.detail AS detail,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_journey_skips AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';
