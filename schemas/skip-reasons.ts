/** Why a trigger of a running journey led to no entry. Analysts read the codes in `journey_skips`. */
export const skipReasons = {
  filters_not_met:
    'The filters do not hold; detail.pointer is the condition that would have had to be otherwise.',
  frequency:
    'The person has entered too lately, or too often; detail says when, and what the journey asks. With detail.held_out_at they never have: they are held out for comparison since then, and count as if they had entered.',
  held_out: 'The person is one of those whom the journey leaves out for comparison.',
  global_holdout: 'The person is one of those whom the workspace leaves out of every journey for comparison.',
  too_old:
    'The event had happened more than 72 hours before it came to the person, as an import’s has or a visitor’s who identifies late. It starts no journey; conditions count it. detail.age_seconds is how old it was.',
  inherited:
    'It waited for an identify when the person was merged into another, who does not inherit triggers.',
  key_limit: 'The person has as many runs of the journey as may be kept.',
  stall_limit:
    'More stalls of one run were up or running at once than are kept, and this was the oldest; or it came too late to tell.',
} as const;
export type SkipReason = keyof typeof skipReasons;
