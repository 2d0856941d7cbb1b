-- messages.logged: what happened with on-site messages and visitors.
CREATE TABLE IF NOT EXISTS stored_message_events (
  workspace LowCardinality(String),
  message_id LowCardinality(String),
  version UInt64,
  variant LowCardinality(Nullable(String)),
  anonymous_id String,
  person_id Nullable(String),
  event LowCardinality(String),
  reason LowCardinality(Nullable(String)),
  action Nullable(String),
  at DateTime64(3, 'UTC'),
  exposure Nullable(String),
  cause_message_id Nullable(String),
  value Nullable(String),
  currency LowCardinality(Nullable(String)),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (workspace, message_id, anonymous_id, at)
SETTINGS non_replicated_deduplication_window = 10000;

-- person_id is that of today: who the visitor turned out to be, after all merges and splits.
CREATE OR REPLACE VIEW message_events AS
SELECT
  rows.workspace AS workspace, rows.message_id AS message_id, rows.version AS version, rows.variant AS variant,
  rows.anonymous_id AS anonymous_id, if(ifNull(today.person_id, '') = '', NULL, toNullable(today.person_id)) AS person_id,
  rows.event AS event, rows.reason AS reason, rows.action AS action, rows.at AS at, rows.exposure AS exposure,
  rows.cause_message_id AS cause_message_id, rows.value AS value, rows.currency AS currency
FROM stored_message_events AS rows
GLOBAL ANY LEFT JOIN (
  SELECT workspace, value, person_id FROM identities WHERE kind = 'anonymous_id'
) AS today ON rows.workspace = today.workspace AND rows.anonymous_id = today.value;

-- A row for each message, version and arm. An event that is a conversion counts once for an arm, however many devices told of it.
CREATE OR REPLACE VIEW message_report AS
SELECT
  workspace, message_id, version, arm AS variant, subjects AS people, visitors, identified, shown, clicked, dismissed, snoozed,
  submitted, click_through, view_through, converted, conversions, value,
  if(subjects = 0, NULL, converted / subjects) AS rate,
  if(subjects = 0, NULL, (rate + 1.9208 / subjects - 1.96 * sqrt(rate * (1 - rate) / subjects + 0.9604 / (subjects * subjects))) / (1 + 3.8416 / subjects)) AS rate_low,
  if(subjects = 0, NULL, (rate + 1.9208 / subjects + 1.96 * sqrt(rate * (1 - rate) / subjects + 0.9604 / (subjects * subjects))) / (1 + 3.8416 / subjects)) AS rate_high,
  if(ifNull(held_rate, 0) = 0, NULL, rate / held_rate - 1) AS lift
FROM (
  SELECT
    workspace, message_id, version, arm,
    uniqExactIf(subject, event IN ('shown', 'held_out')) AS subjects,
    uniqExactIf(anonymous_id, event IN ('shown', 'held_out')) AS visitors,
    uniqExactIf(anonymous_id, event IN ('shown', 'held_out') AND is_identified) AS identified,
    countIf(event = 'shown') AS shown, countIf(event = 'clicked') AS clicked, countIf(event = 'dismissed') AS dismissed,
    countIf(event = 'snoozed') AS snoozed, countIf(event = 'submitted') AS submitted,
    uniqExactIf(cause, event = 'converted' AND reason = 'click_through') AS click_through,
    uniqExactIf(cause, event = 'converted' AND reason = 'view_through') AS view_through,
    uniqExactIf(subject, event = 'converted') AS converted, uniqExactIf(cause, event = 'converted') AS conversions,
    sumMapIf(map(ifNull(currency, ''), amount), event = 'converted' AND is_first) AS value
  FROM (
    SELECT
      workspace, message_id, version, ifNull(variant, '') AS arm, anonymous_id, ifNull(person_id, anonymous_id) AS subject,
      person_id IS NOT NULL AS is_identified, event, ifNull(reason, '') AS reason, ifNull(cause_message_id, '') AS cause,
      currency, ifNull(toFloat64OrNull(value), 0) AS amount,
      row_number() OVER (PARTITION BY workspace, message_id, version, ifNull(variant, ''), event, ifNull(cause_message_id, '') ORDER BY at, anonymous_id) = 1 AS is_first
    FROM message_events
    WHERE event NOT IN ('eligible', 'refused')
  )
  GROUP BY workspace, message_id, version, arm
) AS arms
LEFT JOIN (
  SELECT
    workspace AS held_workspace, message_id AS held_message, version AS held_version,
    uniqExactIf(ifNull(person_id, anonymous_id), event = 'converted') / uniqExactIf(ifNull(person_id, anonymous_id), event = 'held_out') AS held_rate
  FROM message_events
  WHERE variant = 'holdout'
  GROUP BY workspace, message_id, version
) AS held ON workspace = held_workspace AND message_id = held_message AND version = held_version;
