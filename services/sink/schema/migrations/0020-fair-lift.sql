-- Who saw an earlier version of a message may be shown the next one no more, and who is held out always is: lift is of those
-- who met the message in this version, in both arms.
CREATE OR REPLACE VIEW message_report AS
SELECT
  workspace, message_id, version, arm AS variant, subjects AS people, visitors, identified, shown, clicked, dismissed, snoozed,
  submitted, click_through, view_through, converted, conversions, value,
  if(subjects = 0, NULL, converted / subjects) AS rate,
  if(subjects = 0, NULL, greatest(0., (rate + 1.9208 / subjects - 1.96 * sqrt(rate * (1 - rate) / subjects + 0.9604 / (subjects * subjects))) / (1 + 3.8416 / subjects))) AS rate_low,
  if(subjects = 0, NULL, least(1., (rate + 1.9208 / subjects + 1.96 * sqrt(rate * (1 - rate) / subjects + 0.9604 / (subjects * subjects))) / (1 + 3.8416 / subjects))) AS rate_high,
  newcomers AS compared, compared_rate,
  if(ifNull(held_rate, 0) = 0, NULL, compared_rate / held_rate - 1) AS lift
FROM (
  SELECT
    *, if(newcomers = 0, NULL, new_converted / newcomers) AS compared_rate,
    maxIf(compared_rate, arm = 'holdout') OVER (PARTITION BY workspace, message_id, version) AS held_rate
  FROM (
    SELECT
      workspace, message_id, version, arm,
      uniqExactIf(subject, event IN ('shown', 'held_out')) AS subjects,
      uniqExactIf(subject, event IN ('shown', 'held_out') AND is_new) AS newcomers,
      uniqExactIf(subject, event = 'converted' AND is_new) AS new_converted,
      uniqExactIf(anonymous_id, event IN ('shown', 'held_out')) AS visitors,
      uniqExactIf(anonymous_id, event IN ('shown', 'held_out') AND is_identified) AS identified,
      countIf(event = 'shown') AS shown, countIf(event = 'clicked') AS clicked, countIf(event = 'dismissed') AS dismissed,
      countIf(event = 'snoozed') AS snoozed, countIf(event = 'submitted') AS submitted,
      uniqExactIf(cause, event = 'converted' AND reason = 'click_through') AS click_through,
      uniqExactIf(cause, event = 'converted' AND reason = 'view_through') AS view_through,
      uniqExactIf(subject, event = 'converted') AS converted, uniqExactIf(cause, event = 'converted') AS conversions,
      sumMapIf(map(ifNull(currency, ''), amount), event = 'converted' AND is_first) AS value
    FROM (
      SELECT
        workspace, message_id, version, ifNull(variant, '') AS arm, anonymous_id, ifNull(person_id, anonymous_id) AS subject,
        person_id IS NOT NULL AS is_identified, event, ifNull(reason, '') AS reason, ifNull(cause_message_id, '') AS cause,
        currency, ifNull(toFloat64OrNull(value), 0) AS amount,
        minIf(version, event IN ('shown', 'held_out')) OVER (PARTITION BY workspace, message_id, subject) = version AS is_new,
        row_number() OVER (PARTITION BY workspace, message_id, version, ifNull(variant, ''), event, ifNull(cause_message_id, '') ORDER BY at, anonymous_id) = 1 AS is_first
      FROM message_events
      WHERE event NOT IN ('eligible', 'refused')
    )
    GROUP BY workspace, message_id, version, arm
  )
);
