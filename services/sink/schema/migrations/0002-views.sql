-- The contract with analysts: ARCHITECTURE.md, "Tables and views". What follows is what these rest on, then they.
-- GLOBAL changes nothing on one server and makes the same text right over sharded tables.

-- Who has been absorbed, by whom in the end. A survivor may have been absorbed in turn, so chains are followed.
CREATE OR REPLACE VIEW person_survivors AS
WITH RECURSIVE
  absorptions AS (
    SELECT assumeNotNull(person_id) AS absorbed, assumeNotNull(other_person_id) AS survivor
    FROM stored_facts
    WHERE kind = 'person_absorbed'
  ),
  chains AS (
    SELECT absorbed, survivor, 1 AS depth FROM absorptions
    UNION ALL
    SELECT chains.absorbed, absorptions.survivor, chains.depth + 1
    FROM chains INNER JOIN absorptions ON chains.survivor = absorptions.absorbed
  )
SELECT absorbed AS person_id, argMax(chains.survivor, chains.depth) AS survivor_id
FROM chains
GROUP BY absorbed;

CREATE OR REPLACE VIEW deleted_people AS
SELECT DISTINCT assumeNotNull(person_id) AS person_id FROM stored_facts WHERE kind = 'person_deleted';

-- Splits: what was written as person_id's under this name belongs to today_id since. A row is followed from the first
-- move that took it away, through later merges and moves, in the order of the facts.
CREATE OR REPLACE VIEW person_moves AS
WITH RECURSIVE
  moves AS (
    SELECT
      workspace, number, identifier_kind AS name_kind, assumeNotNull(identifier) AS value,
      assumeNotNull(other_person_id) AS mover, assumeNotNull(person_id) AS receiver
    FROM stored_facts
    WHERE kind IN ('anonymous_moved', 'identifier_moved')
  ),
  absorptions AS (
    SELECT number, assumeNotNull(person_id) AS absorbed, assumeNotNull(other_person_id) AS survivor
    FROM stored_facts
    WHERE kind = 'person_absorbed' AND (SELECT count() FROM moves) > 0
  ),
  -- Everybody whose rows the mover had when it lost the name.
  owners AS (
    SELECT workspace, number, name_kind, value, mover AS written_id, receiver FROM moves
    UNION ALL
    SELECT owners.workspace, owners.number, owners.name_kind, owners.value, absorptions.absorbed, owners.receiver
    FROM owners INNER JOIN absorptions ON absorptions.survivor = owners.written_id
    WHERE absorptions.number < owners.number
  ),
  steps AS (
    SELECT number, '' AS name_kind, '' AS value, absorbed AS from_id, survivor AS to_id FROM absorptions
    UNION ALL
    SELECT number, name_kind, value, mover, receiver FROM moves
  ),
  -- The trail is the numbers of the facts followed. Of several the row took the first that came, at every step: the
  -- smallest trail, a longer one before what it begins with.
  paths AS (
    SELECT workspace, name_kind, value, written_id, receiver AS today_id, [number] AS trail
    FROM owners
    UNION ALL
    SELECT paths.workspace, paths.name_kind, paths.value, paths.written_id, steps.to_id, arrayPushBack(paths.trail, steps.number)
    FROM paths INNER JOIN steps ON steps.from_id = paths.today_id
    WHERE steps.number > paths.trail[-1] AND (steps.name_kind = '' OR (steps.name_kind = paths.name_kind AND steps.value = paths.value))
  )
SELECT workspace, name_kind, value, written_id, argMin(paths.today_id, arrayPushBack(paths.trail, 18446744073709551615)) AS today_id
FROM paths
GROUP BY workspace, name_kind, value, written_id;

-- What stored_today has to hold.
CREATE OR REPLACE VIEW person_resolutions AS
SELECT person_id, '' AS workspace, '' AS name_kind, '' AS value, if(survivor_id IN (SELECT person_id FROM deleted_people), '', survivor_id) AS today_id
FROM person_survivors
UNION ALL
SELECT person_id, '' AS workspace, '' AS name_kind, '' AS value, '' AS today_id
FROM deleted_people
UNION ALL
SELECT written_id AS person_id, workspace, name_kind, value, if(today_id IN (SELECT person_id FROM deleted_people), '', today_id) AS today_id
FROM person_moves;

-- The moment up to which every partition has been handled: what leaves after 30 days leaves by it.
CREATE OR REPLACE VIEW watermark AS
SELECT min(latest) AS at
FROM (SELECT source_partition, max(at) AS latest FROM stored_watermarks GROUP BY source_partition);

CREATE OR REPLACE VIEW claims AS
SELECT workspace, substring(lane, length(workspace) + 4) AS anonymous_id, min(assumeNotNull(claimed_at)) AS claimed_at
FROM stored_decisions
WHERE kind = 'granted' AND startsWith(lane, concat(workspace, ':a:'))
GROUP BY workspace, anonymous_id;

-- Every event with the person of today; today_id is empty for nobody. One pass over the rows: who has been absorbed is
-- looked up in an array that is worked out once a question. Rows of people from whom something was split off depend on
-- more than the person; these people are few, and found by the sort key.
CREATE OR REPLACE VIEW resolved_events AS
WITH (
  SELECT (groupArray(person_id), groupArray(today_id))
  FROM (SELECT person_id, today_id FROM stored_today FINAL WHERE name_kind = '')
) AS today
SELECT
  workspace, transform(person_id, today.1, today.2, person_id) AS today_id, message_id, type, name, timestamp, received_at,
  merged_at, previously_anonymous, anonymous_id, properties, context, _partition, _offset
FROM stored_merged
WHERE person_id GLOBAL NOT IN (SELECT person_id FROM stored_today WHERE name_kind != '')
UNION ALL
SELECT
  rows.workspace AS workspace,
  multiIf(moves.version > 0, moves.today_id, people.version > 0, people.today_id, rows.person_id) AS today_id,
  rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
  rows.received_at AS received_at, rows.merged_at AS merged_at, rows.previously_anonymous AS previously_anonymous,
  rows.anonymous_id AS anonymous_id, rows.properties AS properties, rows.context AS context,
  rows._partition AS _partition, rows._offset AS _offset
FROM (
  SELECT
    *,
    if(identifier_kind = 'none', 'anonymous_id', identifier_kind) AS subject_kind,
    multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lower(ifNull(identifier, '')), ifNull(identifier, '')) AS subject
  FROM stored_merged
  WHERE person_id GLOBAL IN (SELECT person_id FROM stored_today WHERE name_kind != '')
) AS rows
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
  ON rows.person_id = people.person_id
GLOBAL ANY LEFT JOIN (SELECT person_id, workspace, name_kind, value, today_id, version FROM stored_today FINAL WHERE name_kind != '') AS moves
  ON rows.person_id = moves.person_id AND rows.workspace = moves.workspace AND rows.subject_kind = moves.name_kind AND rows.subject = moves.value;

-- What the sink takes off the disk: deleted people, whom they had absorbed, and what these did.
CREATE OR REPLACE VIEW erased_people AS
SELECT person_id FROM stored_today FINAL WHERE name_kind = '' AND today_id = '';

CREATE OR REPLACE VIEW erased_events AS
SELECT _partition, _offset FROM resolved_events WHERE today_id = '';

CREATE OR REPLACE VIEW erased_collected AS
SELECT rows._partition AS _partition, rows._offset AS _offset
FROM stored_collected AS rows
GLOBAL ANY INNER JOIN (
  SELECT workspace, identifier AS anonymous_id, at AS claimed_at
  FROM stored_facts
  WHERE kind = 'anonymous_claimed' AND person_id GLOBAL IN (SELECT person_id FROM erased_people)
) AS claimed ON rows.workspace = claimed.workspace AND rows.anonymous_id = claimed.anonymous_id
WHERE rows.received_at <= claimed.claimed_at + INTERVAL 5 MINUTE;

CREATE OR REPLACE VIEW events AS
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, _partition, _offset
FROM resolved_events
WHERE today_id != '';

-- The same for one person, found by the sort key whatever the size of the table: SELECT * FROM person_events(person = …).
CREATE OR REPLACE VIEW person_events AS
SELECT
  workspace, today_id AS person_id, message_id, type, name, timestamp, received_at, merged_at, previously_anonymous,
  anonymous_id, properties, context, _partition, _offset
FROM (
  SELECT
    rows.workspace AS workspace,
    multiIf(moves.version > 0, moves.today_id, people.version > 0, people.today_id, rows.person_id) AS today_id,
    rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
    rows.received_at AS received_at, rows.merged_at AS merged_at, rows.previously_anonymous AS previously_anonymous,
    rows.anonymous_id AS anonymous_id, rows.properties AS properties, rows.context AS context,
    rows._partition AS _partition, rows._offset AS _offset
  FROM (
    SELECT
      *,
      if(identifier_kind = 'none', 'anonymous_id', identifier_kind) AS subject_kind,
      multiIf(identifier_kind = 'none', ifNull(anonymous_id, ''), identifier_kind = 'email', lower(ifNull(identifier, '')), ifNull(identifier, '')) AS subject
    FROM stored_merged
    WHERE person_id = {person:String} OR person_id GLOBAL IN (SELECT person_id FROM stored_today WHERE today_id = {person:String})
  ) AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS people
    ON rows.person_id = people.person_id
  GLOBAL ANY LEFT JOIN (SELECT person_id, workspace, name_kind, value, today_id, version FROM stored_today FINAL WHERE name_kind != '') AS moves
    ON rows.person_id = moves.person_id AND rows.workspace = moves.workspace AND rows.subject_kind = moves.name_kind AND rows.subject = moves.value
)
WHERE today_id = {person:String};

CREATE OR REPLACE VIEW anonymous_events AS
SELECT
  rows.workspace AS workspace, rows.message_id AS message_id, rows.type AS type, rows.name AS name, rows.timestamp AS timestamp,
  rows.received_at AS received_at, false AS previously_anonymous, rows.anonymous_id AS anonymous_id,
  rows.properties AS properties, rows.context AS context, rows._partition AS _partition, rows._offset AS _offset
FROM stored_collected AS rows
GLOBAL ANY LEFT JOIN claims ON rows.workspace = claims.workspace AND rows.anonymous_id = claims.anonymous_id
WHERE rows.received_at >= (SELECT at FROM watermark) - INTERVAL 30 DAY
  AND (
    ifNull(toUnixTimestamp64Milli(claims.claimed_at), 0) = 0
    OR rows.received_at < claims.claimed_at - INTERVAL 30 DAY
    OR rows.received_at > claims.claimed_at + INTERVAL 5 MINUTE
  )
  AND (rows._partition, rows._offset) GLOBAL NOT IN (
    SELECT event_partition, event_offset FROM stored_dropped WHERE reason = 'duplicate_message'
  );

CREATE OR REPLACE VIEW people AS
SELECT
  workspace, person_id, id, email, created_at, attributes, first_seen_at
FROM (
  SELECT
    workspace, person_id,
    anyIf(id, aspect = 'graph') AS id,
    anyIf(email, aspect = 'graph') AS email,
    coalesce(anyIf(created_at, aspect = 'profile'), anyIf(created_at, aspect = 'graph')) AS created_at,
    anyIf(attributes, aspect = 'profile') AS attributes,
    min(first_seen_at) AS first_seen_at,
    anyIf(state, aspect = 'graph') AS state
  FROM stored_people FINAL
  GROUP BY workspace, person_id
)
WHERE state = 'alive';

CREATE OR REPLACE VIEW identities AS
SELECT
  held.workspace AS workspace, held.kind AS kind, held.value AS value, held.person_id AS person_id,
  if(ifNull(toUnixTimestamp64Milli(links.linked_at), 0) = 0, held.at, links.linked_at) AS linked_at
FROM (
  SELECT workspace, person_id, at, names.1 AS kind, assumeNotNull(names.2) AS value
  FROM (
    SELECT workspace, person_id, at, arrayJoin([('id', id), ('email', email), ('cio_id', toNullable(person_id))]) AS names
    FROM stored_people FINAL
    WHERE aspect = 'graph' AND state = 'alive'
  )
  WHERE names.2 IS NOT NULL
) AS held
GLOBAL ANY LEFT JOIN (
  SELECT
    workspace, if(kind = 'person_created', 'cio_id', identifier_kind) AS linked_kind,
    if(kind = 'person_created', person_id, identifier) AS value, max(at) AS linked_at
  FROM stored_facts
  WHERE kind IN ('identifier_added', 'identifier_moved', 'person_created')
  GROUP BY workspace, linked_kind, value
) AS links ON held.workspace = links.workspace AND held.kind = links.linked_kind AND held.value = links.value
UNION ALL
SELECT workspace, 'anonymous_id' AS kind, value, person_id, linked_at
FROM (
  SELECT
    bound.workspace AS workspace, bound.value AS value, bound.linked_at AS linked_at,
    if(today.version > 0, today.today_id, bound.owner) AS person_id
  FROM (
    SELECT
      workspace, assumeNotNull(identifier) AS value, argMax(assumeNotNull(person_id), number) AS owner, argMax(at, number) AS linked_at
    FROM stored_facts
    WHERE kind IN ('anonymous_claimed', 'anonymous_moved')
    GROUP BY workspace, value
  ) AS bound
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON bound.owner = today.person_id
)
WHERE person_id != '';

CREATE OR REPLACE VIEW segment_memberships AS
SELECT workspace, segment_id, person_id, since
FROM (
  SELECT workspace, segment_id, person_id, argMax(change, _offset) AS last_change, argMax(at, _offset) AS since
  FROM stored_segment_changes
  WHERE person_id GLOBAL NOT IN (SELECT person_id FROM stored_today WHERE name_kind = '')
  GROUP BY workspace, segment_id, person_id
)
WHERE last_change = 'entered';

CREATE OR REPLACE VIEW segment_changes AS
SELECT workspace, segment_id, resolved_id AS person_id, change, at, cause_message_id
FROM (
  SELECT
    rows.workspace AS workspace, rows.segment_id AS segment_id, rows.change AS change, rows.at AS at,
    rows.cause_message_id AS cause_message_id,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_segment_changes AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';

CREATE OR REPLACE VIEW journey_entries AS
SELECT workspace, journey_id, resolved_id AS person_id, entered_at, trigger_message_id, rule_version
FROM (
  SELECT
    rows.workspace AS workspace, rows.journey_id AS journey_id, rows.entered_at AS entered_at,
    rows.trigger_message_id AS trigger_message_id, rows.rule_version AS rule_version,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_journey_entries AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';

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
)
WHERE ifNull(resolved_id, 'nobody') != ''
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

CREATE OR REPLACE VIEW dropped AS
SELECT workspace, reason, stage, message_id, at, detail FROM stored_dropped;
