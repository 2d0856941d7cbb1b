-- The engine's reader rounds a number that no double holds, and finds nothing in a whole text that has an integer beyond 64
-- bits: a person with one account number of thirty digits had no relationships. So of a text that may have such a number
-- each string gets an s in front and each number becomes a string with an n; read that way nothing is lost, and what is
-- taken out is turned back. Other texts, which are nearly all, are read as before.
CREATE OR REPLACE VIEW relationships AS
SELECT
  workspace, person_id,
  if(is_long, substring(JSONExtractString(entry, 'sobject_type_id'), 2), JSONExtractString(entry, 'object_type_id')) AS object_type_id,
  if(is_long, substring(JSONExtractString(entry, 'sobject_id'), 2), JSONExtractString(entry, 'object_id')) AS object_id,
  if(is_long, arrayStringConcat(arrayMap(token -> multiIf(startsWith(token, '"n'), substring(token, 3, length(token) - 3), startsWith(token, '"s'), concat('"', substring(token, 3)), token), extractAll(JSONExtractRaw(entry, 'sattributes'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), JSONExtractRaw(entry, 'attributes')) AS attributes,
  if(is_long, arrayStringConcat(arrayMap(token -> multiIf(startsWith(token, '"n'), substring(token, 3, length(token) - 3), startsWith(token, '"s'), concat('"', substring(token, 3)), token), extractAll(JSONExtractRaw(entry, 'sobject_attributes'), '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), JSONExtractRaw(entry, 'object_attributes')) AS object_attributes
FROM (
  SELECT
    workspace, person_id, is_long,
    arrayJoin(JSONExtractArrayRaw(if(is_long, arrayStringConcat(arrayMap(token -> multiIf(match(token, '^-?[0-9]'), concat('"n', token, '"'), startsWith(token, '"'), concat('"s', substring(token, 2)), token), extractAll(list, '"(?:[^"\\\\]|\\\\.)*"|-?[0-9][0-9.eE+-]*|[^"0-9-]+|-|"'))), list))) AS entry
  FROM (
    SELECT workspace, person_id, ifNull(relationships, '[]') AS list, match(list, '[0-9][0-9.]{15}|[0-9][eE][+-]?[0-9]') AS is_long
    FROM stored_people FINAL
    WHERE aspect = 'profile' AND state = 'alive'
  )
);
