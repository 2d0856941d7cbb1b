-- Keys that stand for names are digests that nobody can compute two names for: the first 16 bytes of SHA-256. 0004 and 0005
-- had a hash under a key that everybody knows; an anonymous id computed to have another's hash would have hidden its
-- events. The parts are kept apart by a NUL, which no workspace, kind or name has. Costs about 100 ns more a row.

ALTER TABLE stored_collected
  ADD COLUMN IF NOT EXISTS visitor_digest UInt128
    MATERIALIZED reinterpretAsUInt128(substring(SHA256(concat(workspace, char(0), ifNull(anonymous_id, ''))), 1, 16)) CODEC(ZSTD(1));
ALTER TABLE stored_collected MATERIALIZE COLUMN visitor_digest SETTINGS mutations_sync = 0;

-- A name that has left the facts before now cannot be digested any more: 0, which is no name's. person_moves finds it by
-- the old key where some other fact still has it; name_key is kept for that, and the facts from now on have none.
ALTER TABLE stored_facts ADD COLUMN IF NOT EXISTS name_digest UInt128
  DEFAULT if(identifier IS NULL, toUInt128(0), reinterpretAsUInt128(substring(SHA256(concat(workspace, char(0), toString(identifier_kind), char(0), ifNull(identifier, ''))), 1, 16)));
ALTER TABLE stored_facts MATERIALIZE COLUMN name_digest SETTINGS mutations_sync = 0;
ALTER TABLE stored_facts MODIFY COLUMN name_key UInt128 DEFAULT toUInt128(0);

-- Splits: what was written as written_id's under this name, by a fact before `before`, has belonged to today_id since. A
-- row is followed from the first move that took it away, through later merges and moves, in the order of the facts.
CREATE OR REPLACE VIEW person_moves AS
WITH RECURSIVE
  moves AS (
    SELECT number, split, name_key, assumeNotNull(other_person_id) AS mover, assumeNotNull(person_id) AS receiver
    FROM (
      SELECT
        kind, number, person_id, other_person_id,
        if(
          name_digest = 0 AND stored_facts.name_key != 0,
          max(name_digest) OVER (PARTITION BY stored_facts.name_key),
          name_digest
        ) AS name_key,
        -- A split is one decision: its moves follow it, and nothing comes between.
        max(if(kind = 'person_split', number, 0)) OVER (PARTITION BY workspace ORDER BY number) AS split
      FROM stored_facts
      WHERE kind IN ('person_split', 'anonymous_moved', 'identifier_moved')
    )
    WHERE kind != 'person_split'
  ),
  absorptions AS (
    SELECT number, assumeNotNull(person_id) AS absorbed, assumeNotNull(other_person_id) AS survivor
    FROM stored_facts
    WHERE kind = 'person_absorbed' AND (SELECT count() FROM moves) > 0
  ),
  -- Everybody whose rows the mover had when it lost the name.
  owners AS (
    SELECT number, split, name_key, mover AS written_id, receiver FROM moves
    UNION ALL
    SELECT owners.number, owners.split, owners.name_key, absorptions.absorbed, owners.receiver
    FROM owners INNER JOIN absorptions ON absorptions.survivor = owners.written_id
    WHERE absorptions.number < owners.number
  ),
  -- Who has the name next: by the first later move, or as who took its person in. Whoever was taken in moves no more.
  paths AS (
    SELECT name_key, written_id, split AS before, receiver AS today_id, number AS at FROM owners
    UNION ALL
    SELECT
      paths.name_key, paths.written_id, paths.before, if(next.number > 0, next.receiver, taken.survivor),
      if(next.number > 0, next.number, taken.number)
    FROM paths
    ASOF LEFT JOIN moves AS next ON next.mover = paths.today_id AND next.name_key = paths.name_key AND next.number > paths.at
    ANY LEFT JOIN absorptions AS taken ON taken.absorbed = paths.today_id
    WHERE next.number > 0 OR taken.number > 0
  )
SELECT written_id, name_key, before, argMax(paths.today_id, paths.at) AS today_id
FROM paths
GROUP BY written_id, name_key, before;

-- As in 0006, by the digest. Rows of stored_moves under the old keys match nothing, and new ones are made when the sink starts.
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

CREATE OR REPLACE VIEW anonymous_event_values AS
SELECT
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
  rows.received_at AS received_at, false AS previously_anonymous, rows.anonymous_id AS anonymous_id,
  rows.properties AS properties, rows.context AS context, rows.campaign_source AS campaign_source,
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

ALTER TABLE stored_collected DROP COLUMN IF EXISTS visitor_key;
