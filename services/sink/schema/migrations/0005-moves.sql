-- A name may leave a person by a split and come back, so what was written under it has to be told apart by when: each
-- row says as of which fact identity had said whose its name is, and a split takes those of before its own number.
-- Not by offset: a lane may send what was decided before the split after it, and by way of another person's stream.
ALTER TABLE stored_merged ADD COLUMN IF NOT EXISTS decided_as_of UInt64 CODEC(ZSTD(1));

-- Names of people who were deleted leave the facts, and whose rows are whose still has to follow from these: so by a hash.
ALTER TABLE stored_facts ADD COLUMN IF NOT EXISTS name_key UInt128
  DEFAULT reinterpretAsUInt128(sipHash128(workspace, toString(identifier_kind), ifNull(identifier, '')));
ALTER TABLE stored_facts MATERIALIZE COLUMN name_key SETTINGS mutations_sync = 0;

-- Rows of person_id under a name that go by a fact before this one, and none of these rows' earlier moves, are today_id's;
-- nobody's where that is empty. stored_today keeps what does not depend on a name.
CREATE TABLE IF NOT EXISTS stored_moves (
  person_id String,
  name_key UInt128,
  before UInt64,
  today_id String,
  version UInt64
) ENGINE = ReplacingMergeTree(version)
ORDER BY (person_id, name_key, before);

-- Splits: what was written as written_id's under this name, by a fact before `before`, has belonged to today_id since. A
-- row is followed from the first move that took it away, through later merges and moves, in the order of the facts.
CREATE OR REPLACE VIEW person_moves AS
WITH RECURSIVE
  moves AS (
    SELECT number, split, name_key, assumeNotNull(other_person_id) AS mover, assumeNotNull(person_id) AS receiver
    FROM (
      SELECT
        kind, number, name_key, person_id, other_person_id,
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

-- What stored_moves and stored_today have to hold.
CREATE OR REPLACE VIEW move_resolutions AS
SELECT written_id AS person_id, name_key, before, if(today_id IN (SELECT person_id FROM deleted_people), '', today_id) AS today_id
FROM person_moves;

CREATE OR REPLACE VIEW person_resolutions AS
SELECT person_id, if(survivor_id IN (SELECT person_id FROM deleted_people), '', survivor_id) AS today_id
FROM person_survivors
UNION ALL
SELECT person_id, '' AS today_id
FROM deleted_people;

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
      multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lower(ifNull(identifier, '')), ifNull(identifier, ''))
    )) AS name_key
  FROM stored_merged
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (
  SELECT person_id, name_key, arraySort(groupArray((before, today_id))) AS moves FROM stored_moves FINAL GROUP BY person_id, name_key
) AS moves
  ON rows.person_id = moves.person_id AND rows.name_key = moves.name_key;

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
WHERE stored_merged.person_id GLOBAL NOT IN (
  SELECT person_id FROM stored_today FINAL WHERE name_kind = '' AND today_id = '' UNION ALL SELECT person_id FROM stored_moves
)
UNION ALL
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, campaign_source, campaign_name, total, journey_id, holdout, shape, _partition, _offset
FROM resolved_rows
WHERE written_id GLOBAL IN (SELECT person_id FROM stored_moves) AND today_id != '';

-- The same for one person, found by the sort key whatever the size of the table: SELECT * FROM person_events(person = …).
CREATE OR REPLACE VIEW person_events AS
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, _partition, _offset
FROM resolved_rows
WHERE (
    written_id = {person:String}
    OR written_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind = '' AND today_id = {person:String})
    OR written_id GLOBAL IN (SELECT person_id FROM stored_moves WHERE today_id = {person:String})
  )
  AND today_id = {person:String};

-- What the sink takes off the disk: rows of nobody, and the visits of anonymous ids whose owner of today is nobody.
CREATE OR REPLACE VIEW erased_events AS
SELECT _partition, _offset
FROM stored_merged
WHERE person_id GLOBAL IN (SELECT person_id FROM erased_people)
  AND person_id GLOBAL NOT IN (SELECT person_id FROM stored_moves)
UNION ALL
SELECT _partition, _offset
FROM resolved_rows
WHERE written_id GLOBAL IN (SELECT person_id FROM stored_moves) AND today_id = '';

CREATE OR REPLACE VIEW erased_collected AS
SELECT rows._partition AS _partition, rows._offset AS _offset
FROM stored_collected AS rows
GLOBAL ANY INNER JOIN (
  SELECT workspace, identifier AS anonymous_id, minIf(at, kind = 'anonymous_claimed') AS claimed_at
  FROM stored_facts
  WHERE kind IN ('anonymous_claimed', 'anonymous_moved')
  GROUP BY workspace, identifier
  HAVING argMax(person_id, number) GLOBAL IN (SELECT person_id FROM erased_people)
) AS claimed ON rows.workspace = claimed.workspace AND rows.anonymous_id = claimed.anonymous_id
WHERE rows.received_at <= claimed.claimed_at + INTERVAL 5 MINUTE;
