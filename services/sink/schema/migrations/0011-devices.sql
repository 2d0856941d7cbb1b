-- A person's browsers and apps, one join away. Events are counted for the person that has the anonymous id today, who is
-- not always whose all its events are: of a shared browser what others did when they were signed in is theirs.
CREATE OR REPLACE VIEW person_devices AS
SELECT
  held.workspace AS workspace, held.person_id AS person_id, held.anonymous_id AS anonymous_id, held.linked_at AS linked_at,
  seen.events AS events,
  if(seen.events = 0, NULL, toNullable(seen.first_event_at)) AS first_event_at,
  if(seen.events = 0, NULL, toNullable(seen.last_event_at)) AS last_event_at
FROM (
  SELECT workspace, person_id, value AS anonymous_id, linked_at FROM identities WHERE kind = 'anonymous_id'
) AS held
GLOBAL ANY LEFT JOIN (
  SELECT
    workspace, person_id, assumeNotNull(anonymous_id) AS anonymous_id, count() AS events,
    min(timestamp) AS first_event_at, max(timestamp) AS last_event_at
  FROM events
  WHERE anonymous_id IS NOT NULL
  GROUP BY workspace, person_id, anonymous_id
) AS seen
  ON held.workspace = seen.workspace AND held.person_id = seen.person_id AND held.anonymous_id = seen.anonymous_id;
