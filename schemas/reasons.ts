/** Coded reasons why something was refused or left out. Analysts read them in `dropped` and in activities. */
export const reasons = {
  duplicate_message: 'The lane has already had this message id from the same identifier.',
  invalid_call: 'The call broke a rule of the API; detail says which. Permissive mode answered 200.',
  patterns_too_costly:
    'Tests of patterns, of objects or of long texts and lists beyond what one look at a person may cost were not made and count as false; detail says how many.',
  limit_exceeded: 'The call was larger than a documented limit; permissive mode answered 200.',
  corrected:
    'Nothing was lost: the call was taken otherwise than it was sent; detail says what is kept and why.',
  key_not_allowed: 'The kind of key may not ask for that; the other calls of the batch were taken.',
  rate_limited:
    'A key or its workspace called faster than it may and was answered 429; detail says how often in a minute.',
  workspace_over_quota:
    'A workspace brought more bytes than its quota and was answered 429; detail says how often in a minute.',
  not_supported_yet: 'The call is valid but is not built yet; nothing was done.',
  identify_without_identifier: 'An identify that names nobody creates no profile.',
  unknown_cio_id: 'The call names a cio_id that does not exist or was deleted.',
  update_only_nobody: 'An update with _update: true matched nobody.',
  identifier_conflict: 'The identifiers of the call belong to different people.',
  identifier_suppressed: 'The identifier is suppressed.',
  identifier_illegal: 'The identifier is a placeholder or otherwise cannot name a person.',
  anonymous_id_taken:
    'The anonymous id was claimed before; the first claim wins and it cannot be reused. The call itself is the person’s and nothing is dropped: an activity of the person and the trace of the anonymous id say so, and no row of dropped.',
  merge_switched_off: 'The workspace has switched anonymous event merge off.',
  too_many_anonymous_ids: 'The person has had too many anonymous ids in the window that the workspace sets.',
  too_many_people: 'The anonymous id has named too many people in the window that the workspace sets.',
  too_many_merges: 'More person merges a minute than the workspace allows.',
  merge_same_person: 'Both sides of the merge are one person already.',
  merge_unknown_person: 'A side of the merge names nobody.',
  person_unknown: 'The call names nobody, so there was nothing to delete or split.',
  person_deleted: 'The person was deleted.',
  object_deleted:
    'The object was deleted after the call was received, so nobody belongs to it by that call; detail has its id.',
  segment_unknown: 'There is no manual segment of this id, so nobody was put into it or taken out of it.',
  consent_withdrawn:
    'The visitor withdrew their consent: what waited of them was erased, and what names nobody is not kept until they consent again.',
  lane_full:
    'The visitor has more waiting events than the limit; the event is kept in anonymous_events only.',
  bot_not_awaited:
    'The workspace lets what bots do wait for nobody; the event is kept in anonymous_events only.',
  lanes_full:
    'The workspace has as many visitors whose events wait, or who were claimed, as a partition may hold; the event is kept in anonymous_events only. Visitors who were claimed go on.',
  input_expired:
    'Records were gone from the log before their service had read them; detail says which offsets.',
  merge_not_awaited:
    'Nothing was lost: the workspace had as many merges of people under way as may be, so the person’s records were judged before what these merges brought; it was added when it came. detail has the numbers of the merges.',
  timer_not_awaited:
    'Nothing was lost: as many records of the workspace waited for timers as may, so this one was judged before a timer that came first.',
  not_handled: 'The record could not be handled; it lies in dead.letters. detail says where and why.',
  undecodable: 'The record could not be read; it lies in dead.letters.',
} as const;
export type Reason = keyof typeof reasons;
