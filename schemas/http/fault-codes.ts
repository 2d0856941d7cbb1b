/** Codes of the faults that a 400 of our own routes lists, each with the JSON pointer of its place. */
export const faultCodes = {
  invalid_json: 'The body is not JSON.',
  body_too_large: 'The body is larger than the bound; the answer is 413.',
  invalid_id: 'The id in the path has other characters than it may, or too many.',
  invalid_name: 'The name in the path is none that a workspace can have.',
  invalid_call: 'The call breaks a rule of its route; the message says which.',
  required: 'Something that must be there is missing or empty.',
  wrong_type: 'The value is of another JSON type.',
  unknown_key: 'The key is not known here; the message lists those that are.',
  unknown_value: 'The value is none of those that the message lists.',
  ambiguous: 'The object could be read in two ways; leave one out.',
  out_of_range: 'The number is below or above its bounds.',
  too_long: 'The text has more characters than it may.',
  too_many: 'The list has more entries than it may, or the workspace has as many of these as it may.',
  too_deep: 'Conditions are nested deeper than they may be.',
  limit_exceeded: 'The answer would be larger than its bound; ask for less.',
  unknown_segment: 'A condition names a segment that does not exist.',
  circular: 'Segments refer to each other in a circle.',
  invalid_duration: 'The text is no ISO 8601 duration such as PT10M or P30D.',
  invalid_pattern: 'The text is no pattern of RE2.',
  pattern_too_large: 'One pattern needs more instructions than the bound.',
  patterns_too_large:
    'The patterns of the definition, or of the whole workspace, need more instructions than the bound.',
  wrong_owner: 'A key of this kind is of a workspace, or of none; the message says which.',
  key_ended: 'The key has been revoked, or replaced for longer than it may.',
  last_admin_key: 'It is the last admin key; nobody could come in any more.',
  invalid_template: 'The text is no Liquid that can be read; the message says where.',
  no_next_step: 'A warning: nothing in the message leads on.',
  event_never_seen: 'A warning: no event of this name has come so far, so nobody can match.',
  compares_text:
    'A warning: a text is compared where a number was likely meant, and no number is more or less than a text.',
  waiting_forgotten:
    'A warning: whoever waits in the journey for something not to come is forgotten, because its trigger, its key or its state is another.',
  members_leave:
    'A warning: the segment was a rule and is manual now, or the other way round, and whoever was in by that leaves.',
  still_used: 'A warning: other definitions ask for the segment that is removed; for them nobody is in it.',
  segment_empty: 'A warning: nobody is in a segment that the journey needs somebody to be in.',
  past_not_in_yet:
    'A warning: what people did before is being read; until it is in nobody enters or leaves the segment.',
  past_enters:
    'A warning: people who triggered the journey before it was there enter it now, by the time of their trigger.',
} as const;
export type FaultCode = keyof typeof faultCodes;
