-- events.merged, identifies, each as it came to its person and where it lies there: only those about which identity was
-- asked, since a browser identifies on every page.
CREATE TABLE IF NOT EXISTS stored_identifies (
  workspace LowCardinality(String),
  person_id String CODEC(ZSTD(1)),
  merged_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  known_as_of UInt64 CODEC(ZSTD(1)),
  decided_as_of UInt64 CODEC(ZSTD(1)),
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  timestamp DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  anonymous_id Nullable(String) CODEC(ZSTD(1)),
  message_id String CODEC(ZSTD(1)),
  identifier_kind LowCardinality(String),
  identifier Nullable(String) CODEC(ZSTD(1)),
  _partition UInt16,
  _offset UInt64 CODEC(Delta, ZSTD(1)),
  INDEX offsets _offset TYPE minmax GRANULARITY 1
) ENGINE = MergeTree
ORDER BY (workspace, person_id, merged_at)
SETTINGS non_replicated_deduplication_window = 10000;

-- As resolved_rows: a name that left its person by a split takes what was said under it.
CREATE OR REPLACE VIEW resolved_identifies AS
SELECT
  rows.person_id AS written_id,
  multiIf(
    arrayExists(move -> move.1 > rows.decided_as_of, moves.moves), arrayFirst(move -> move.1 > rows.decided_as_of, moves.moves).2,
    people.version > 0, people.today_id,
    rows.person_id
  ) AS today_id,
  rows.workspace AS workspace, rows.message_id AS message_id, rows.anonymous_id AS anonymous_id,
  rows.timestamp AS timestamp, rows.received_at AS received_at, rows.merged_at AS merged_at,
  rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT
    *,
    reinterpretAsUInt128(substring(SHA256(concat(
      workspace, char(0),
      if(identifier_kind = 'none', 'anonymous_id', toString(identifier_kind)), char(0),
      multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lowerUTF8(ifNull(identifier, '')), ifNull(identifier, ''))
    )), 1, 16)) AS name_key
  FROM stored_identifies
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (
  SELECT person_id, name_key, arraySort(groupArray((before, today_id))) AS moves FROM stored_moves FINAL GROUP BY person_id, name_key
) AS moves
  ON rows.person_id = moves.person_id AND rows.name_key = moves.name_key;

CREATE OR REPLACE VIEW erased_identifies AS
SELECT _partition, _offset
FROM resolved_identifies
WHERE today_id = '';
