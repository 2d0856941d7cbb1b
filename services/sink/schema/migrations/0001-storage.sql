-- What the sink writes: a row for each record of a topic, with its place on it. Analysts read the views of 0002.
-- _partition and _offset make every row the only one of its kind; the sink reads them back after a doubtful insert.
-- Repeated inserts are recognised by their token; the window is larger than what can be under way in an hour.

-- events.merged, without identifies. Sorted for the questions about a person: funnels, first touch, explanations.
-- A dictionary of people and names pays in sorted rows, however many there are in all: a filter on the name is ten times
-- as quick, and one on the person reads half.
CREATE TABLE IF NOT EXISTS stored_merged (
  workspace LowCardinality(String),
  person_id LowCardinality(String) CODEC(ZSTD(1)),
  merged_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  previously_anonymous Bool,
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  type LowCardinality(String),
  identifier_kind LowCardinality(String),
  identifier Nullable(String) CODEC(ZSTD(1)),
  anonymous_id Nullable(String) CODEC(ZSTD(1)),
  message_id String CODEC(ZSTD(1)),
  timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  source LowCardinality(String),
  name LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
  properties Nullable(String) CODEC(ZSTD(1)),
  context Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64 CODEC(Delta, ZSTD(1)),
  INDEX offsets _offset TYPE minmax GRANULARITY 1,
  INDEX times timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(received_at)
ORDER BY (workspace, person_id, timestamp)
SETTINGS non_replicated_deduplication_window = 10000;

-- events.collected, those that name nobody. A partition is a day, since they leave day by day.
CREATE TABLE IF NOT EXISTS stored_collected (
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  type LowCardinality(String),
  anonymous_id Nullable(String) CODEC(ZSTD(1)),
  message_id String CODEC(ZSTD(1)),
  timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  workspace LowCardinality(String),
  source LowCardinality(String),
  name LowCardinality(Nullable(String)) CODEC(ZSTD(1)),
  properties Nullable(String) CODEC(ZSTD(1)),
  context Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64 CODEC(Delta, ZSTD(1)),
  INDEX offsets _offset TYPE minmax GRANULARITY 1,
  INDEX times timestamp TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMMDD(received_at)
ORDER BY (workspace, anonymous_id, timestamp)
SETTINGS non_replicated_deduplication_window = 10000, allow_nullable_key = 1;

-- identity.log.
CREATE TABLE IF NOT EXISTS stored_facts (
  number UInt64,
  workspace LowCardinality(String),
  kind LowCardinality(String),
  at DateTime64(3, 'UTC'),
  person_id Nullable(String),
  other_person_id Nullable(String),
  identifier_kind LowCardinality(String),
  identifier Nullable(String),
  message_id Nullable(String),
  detail Nullable(String),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (kind, workspace, number)
SETTINGS non_replicated_deduplication_window = 10000;

-- identity.decisions that answer a lane.
CREATE TABLE IF NOT EXISTS stored_decisions (
  kind LowCardinality(String),
  workspace LowCardinality(String),
  lane String,
  request_number UInt64,
  person_id Nullable(String),
  claimed_at Nullable(DateTime64(3, 'UTC')),
  reason LowCardinality(Nullable(String)),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (kind, workspace, lane)
SETTINGS non_replicated_deduplication_window = 10000;

-- people.changed. Like the topic it keeps a person's latest record of each aspect.
CREATE TABLE IF NOT EXISTS stored_people (
  aspect LowCardinality(String),
  workspace LowCardinality(String),
  person_id String,
  at DateTime64(3, 'UTC'),
  version UInt64,
  state LowCardinality(String),
  id Nullable(String),
  email Nullable(String),
  created_at Nullable(DateTime64(3, 'UTC')),
  first_seen_at Nullable(DateTime64(3, 'UTC')),
  attributes Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = ReplacingMergeTree(version)
ORDER BY (workspace, person_id, aspect)
SETTINGS non_replicated_deduplication_window = 10000;

-- segments.changed.
CREATE TABLE IF NOT EXISTS stored_segment_changes (
  workspace LowCardinality(String),
  segment_id LowCardinality(String),
  person_id String,
  change LowCardinality(String),
  at DateTime64(3, 'UTC'),
  cause_message_id Nullable(String),
  rule_version UInt64,
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (workspace, segment_id, person_id, _offset)
SETTINGS non_replicated_deduplication_window = 10000;

-- journeys.entered.
CREATE TABLE IF NOT EXISTS stored_journey_entries (
  workspace LowCardinality(String),
  journey_id LowCardinality(String),
  person_id String,
  entered_at DateTime64(3, 'UTC'),
  trigger_message_id Nullable(String),
  rule_version UInt64,
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (workspace, journey_id, person_id, entered_at)
SETTINGS non_replicated_deduplication_window = 10000;

-- activities.logged: lines that are not themselves events.
CREATE TABLE IF NOT EXISTS stored_activities (
  workspace LowCardinality(String),
  kind LowCardinality(String),
  person_id Nullable(String),
  anonymous_id Nullable(String),
  timestamp DateTime64(3, 'UTC'),
  processed_at Nullable(DateTime64(3, 'UTC')),
  message_id Nullable(String),
  detail Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (workspace, person_id, timestamp)
SETTINGS non_replicated_deduplication_window = 10000, allow_nullable_key = 1;

-- events.dropped. A repeat says in its detail which record of events.collected it was.
CREATE TABLE IF NOT EXISTS stored_dropped (
  workspace LowCardinality(String),
  reason LowCardinality(String),
  stage LowCardinality(String),
  at DateTime64(3, 'UTC'),
  message_id Nullable(String),
  anonymous_id Nullable(String),
  person_id Nullable(String),
  detail Nullable(String) CODEC(ZSTD(1)),
  event_partition UInt16 MATERIALIZED JSONExtractUInt(ifNull(detail, ''), 'partition'),
  event_offset UInt64 MATERIALIZED JSONExtractUInt(ifNull(detail, ''), 'offset'),
  _partition UInt16,
  _offset UInt64,
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (workspace, reason, at)
SETTINGS non_replicated_deduplication_window = 10000;

-- How far each partition of events.collected has been handled, by the watermarks on events.merged.
CREATE TABLE IF NOT EXISTS stored_watermarks (
  source_partition UInt16,
  at DateTime64(3, 'UTC')
) ENGINE = ReplacingMergeTree(at)
ORDER BY source_partition;

-- Whose rows are whose today, for everybody of whom that is not plain: absorbed, deleted, or split from something.
-- Worked out from stored_facts by the view person_resolutions; the sink adds what has changed before it calls those
-- facts written, so this is never older than what else a reader can see. name_kind and value are empty but for rows
-- that left by a split; today_id is empty for rows of nobody, since they were deleted.
CREATE TABLE IF NOT EXISTS stored_today (
  person_id String,
  workspace LowCardinality(String),
  name_kind LowCardinality(String),
  value String,
  today_id String,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (person_id, workspace, name_kind, value);
