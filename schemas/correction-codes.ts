/** Why a part of a call was kept otherwise than it was sent: `why` of a row of `dropped` whose reason is `corrected`. */
export const correctionCodes = {
  canonical_form:
    'A name, in the form in which names are compared: without white space, quotes and unseen marks around it.',
  placeholder: 'A placeholder such as undefined names nobody; as if absent.',
  empty_list: 'An empty list where an object belongs is an empty object.',
  not_an_object: 'No object, where one belongs; left out.',
  not_a_name: 'No name, or no email, where one belongs; left out.',
  misspelt_name:
    'Whom the call is about stands under a name that is not read: Pipelines has userId and anonymousId, Track anonymous_id; kept with the rest, and names nobody.',
  over_limit: 'An attribute over its limit; left out.',
  extra_attributes: 'More attributes than one call may have; left out.',
  not_a_number: 'NaN and infinities are null.',
  not_unicode: 'Half of a surrogate pair is U+FFFD.',
  unknown_type: 'No type of an event; it is an event.',
  long_page_name: 'The name of a page over its limit is cut.',
  long_message_id: 'A message id over its limit is its digest, so repeats are still known.',
  zero_time: 'A zero says no time; as if none was sent.',
  unreadable_time:
    'No time that can be read; as if none was sent: a person’s created_at is an attribute as it was sent, and the column keeps the last time that was said. Track takes unix seconds, Pipelines ISO 8601.',
  time_out_of_range: 'Later than any time that is kept; the last one that is.',
  ms_as_seconds:
    'Track takes unix seconds, and this looks like milliseconds: taken at its word an event’s time is the last one that is kept, and a person’s created_at is an attribute that says none.',
  seconds_as_ms: 'A date of January 1970 is seconds that were taken for milliseconds; read as seconds.',
  future_time: 'The future does not order attributes: the receive time.',
  device_clock: 'The clock of the device was off by more than a minute; the time is moved by as much.',
  key_not_allowed: 'The kind of key may not say that; left out.',
} as const;
export type CorrectionCode = keyof typeof correctionCodes;
