-- The objects that people belong to (companies, courses): each person's list, and a row for each for analysts.
ALTER TABLE stored_people ADD COLUMN IF NOT EXISTS relationships Nullable(String) CODEC(ZSTD(1));

CREATE OR REPLACE VIEW relationships AS
SELECT
  workspace, person_id, JSONExtractString(entry, 'object_type_id') AS object_type_id,
  JSONExtractString(entry, 'object_id') AS object_id, JSONExtractRaw(entry, 'attributes') AS attributes,
  JSONExtractRaw(entry, 'object_attributes') AS object_attributes
FROM (
  SELECT workspace, person_id, arrayJoin(JSONExtractArrayRaw(ifNull(relationships, '[]'))) AS entry
  FROM stored_people FINAL
  WHERE aspect = 'profile' AND state = 'alive'
);
