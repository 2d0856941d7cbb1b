-- What properties events have, of which types, how often, and since when and until when: a row for each workspace, name,
-- property and type. From the shapes of the events, so that no JSON is read again.
CREATE OR REPLACE VIEW event_fields AS
SELECT
  workspace, name, left(entry, length(entry) - 2) AS property,
  transform(right(entry, 1), ['"', '0', 'b', 'n', '{', '['], ['text', 'number', 'boolean', 'null', 'object', 'list'], '') AS type,
  sum(times) AS events, min(first_at) AS first_seen_at, max(last_at) AS last_seen_at
FROM (
  SELECT workspace, name, arrayJoin(splitByChar(char(31), toString(shape))) AS entry, times, first_at, last_at
  FROM (
    SELECT workspace, assumeNotNull(name) AS name, shape, count() AS times, min(received_at) AS first_at, max(received_at) AS last_at
    FROM event_values WHERE event_values.type = 'event' AND event_values.name IS NOT NULL GROUP BY workspace, name, shape
    UNION ALL
    SELECT workspace, assumeNotNull(name) AS name, shape, count() AS times, min(received_at) AS first_at, max(received_at) AS last_at
    FROM anonymous_event_values WHERE anonymous_event_values.type = 'event' AND anonymous_event_values.name IS NOT NULL GROUP BY workspace, name, shape
  )
)
WHERE type != '' AND entry LIKE '%:_'
GROUP BY workspace, name, property, type;
