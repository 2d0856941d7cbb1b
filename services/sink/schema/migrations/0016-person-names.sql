-- Every name that somebody ever had, with who that is today: a merge takes names away from identities, and what was noted
-- down before it (a cio_id in an export, an old email) has to lead on. Deleted people have no row.
CREATE OR REPLACE VIEW person_names AS
SELECT
  names.workspace AS workspace, names.name_kind AS kind, names.value AS value,
  if(today.version > 0, today.today_id, names.held_by) AS person_id,
  names.held_by AS held_by, names.linked_at AS linked_at, merges.merged_at AS merged_at, merges.merge_message_id AS merge_message_id
FROM (
  SELECT
    workspace, if(facts.kind = 'person_created', 'cio_id', toString(identifier_kind)) AS name_kind,
    assumeNotNull(if(facts.kind = 'person_created', person_id, identifier)) AS value, assumeNotNull(person_id) AS held_by, min(at) AS linked_at
  FROM stored_facts AS facts
  WHERE facts.kind IN ('person_created', 'identifier_added', 'identifier_moved', 'anonymous_claimed', 'anonymous_moved')
    AND facts.person_id IS NOT NULL AND (facts.kind = 'person_created' OR facts.identifier IS NOT NULL)
  GROUP BY workspace, name_kind, value, held_by
) AS names
GLOBAL ANY LEFT JOIN (SELECT person_id, today_id, version FROM stored_today FINAL WHERE name_kind = '') AS today
  ON names.held_by = today.person_id
GLOBAL ANY LEFT JOIN (
  SELECT
    assumeNotNull(person_id) AS person_id, toNullable(min(at)) AS merged_at, argMin(message_id, number) AS merge_message_id
  FROM stored_facts
  WHERE kind = 'person_absorbed' AND person_id IS NOT NULL
  GROUP BY person_id
) AS merges ON names.held_by = merges.person_id
WHERE if(today.version > 0, today.today_id, names.held_by) != '';
