-- journeys.entered says what an entry rests on, and a view has those events: the very items that somebody looked at.
ALTER TABLE stored_journey_entries ADD COLUMN IF NOT EXISTS evidence Nullable(String) CODEC(ZSTD(1));

CREATE OR REPLACE VIEW journey_entries AS
SELECT workspace, journey_id, resolved_id AS person_id, entered_at, trigger_message_id, rule_version, key, evidence
FROM (
  SELECT
    rows.workspace AS workspace, rows.journey_id AS journey_id, rows.entered_at AS entered_at,
    rows.trigger_message_id AS trigger_message_id, rows.rule_version AS rule_version, rows.key AS key,
    rows.evidence AS evidence,
    if(today.version > 0, today.today_id, rows.person_id) AS resolved_id
  FROM stored_journey_entries AS rows
  GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
    ON rows.person_id = today.person_id
)
WHERE resolved_id != '';

-- One row for each event that an entry rests on: what triggered it, what began its stall, what its conditions counted.
CREATE OR REPLACE VIEW journey_entry_events AS
SELECT
  entries.workspace AS workspace, entries.journey_id AS journey_id, entries.person_id AS person_id,
  entries.entered_at AS entered_at, entries.key AS key, entries.role AS role, entries.pointer AS pointer,
  seen.message_id AS message_id, seen.type AS type, seen.name AS name, seen.timestamp AS timestamp,
  seen.previously_anonymous AS previously_anonymous, seen.properties AS properties
FROM (
  SELECT
    workspace, journey_id, person_id, entered_at, key, named.1 AS role, named.2 AS pointer, named.3 AS message_id
  FROM (
    SELECT
      workspace, journey_id, person_id, entered_at, key,
      arrayJoin(arrayConcat(
        if(trigger_message_id IS NULL, [], [('trigger', '', assumeNotNull(trigger_message_id))]),
        arrayMap(id -> ('begun', '', id), JSONExtract(ifNull(evidence, '{}'), 'begun', 'Array(String)')),
        arrayFlatten(arrayMap(
          condition -> arrayMap(
            id -> (if(JSONHas(condition, 'segment'), 'segment', 'filters'), JSONExtractString(condition, 'pointer'), id),
            JSONExtract(condition, 'events', 'Array(String)')
          ),
          JSONExtractArrayRaw(ifNull(evidence, '{}'), 'conditions')
        ))
      )) AS named
    FROM journey_entries
  )
) AS entries
GLOBAL INNER JOIN (
  SELECT workspace, person_id, message_id, type, name, timestamp, previously_anonymous, properties FROM events
) AS seen
  ON entries.workspace = seen.workspace AND entries.person_id = seen.person_id AND entries.message_id = seen.message_id;
