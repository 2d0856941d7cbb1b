/** Segments, journeys and on-site messages, as the data dictionary describes them. */
import { personToday, types, workspace, type Column, type ViewEntry } from './entry.ts';

const { text, label, maybeText, maybeLabel, time, count, maybeDouble } = types;

const segment: Column = ['segment_id', label, 'The segment, as its definition is named.'];
const journey: Column = ['journey_id', label, 'The journey, as its definition is named.'];
const version: Column = ['rule_version', 'UInt64', 'Version of the definition that was in force.'];
const runKey: Column = [
  'key',
  maybeText,
  'Of a journey with a key: which run it is, the value of that property. Else NULL.',
];
const trigger: Column = [
  'trigger_message_id',
  maybeText,
  'The event that triggered it: events.message_id. NULL where time alone did.',
];

export const ruleViews: readonly ViewEntry[] = [
  {
    name: 'segment_memberships',
    comment: 'A person who is in a segment, now.',
    isContract: true,
    columns: [workspace, segment, personToday(), ['since', time, 'When the person entered, the last time.']],
  },
  {
    name: 'segment_changes',
    comment: 'An entry into a segment, or an exit.',
    isContract: true,
    columns: [
      workspace,
      segment,
      personToday(),
      ['change', label, 'entered or left.'],
      [
        'at',
        time,
        'When; where time alone turned it, to the millisecond of that moment. By a definition: up to when everything had been handled, a second or so before it was stored; rule_version says which it was.',
      ],
      [
        'cause_message_id',
        maybeText,
        'The call that turned it: of an event events.message_id. NULL where no call did: see cause.',
      ],
      [
        'cause',
        maybeLabel,
        'What turned it: call, time (a window ended, a stall was up), definition (one was made, edited or deleted, also by the past that it had read), merge or split of the person. NULL in rows from before this was told.',
      ],
      version,
    ],
  },
  {
    name: 'journey_entries',
    comment: 'An entry into a journey.',
    isContract: true,
    columns: [
      workspace,
      journey,
      personToday(),
      ['entered_at', time, 'When the person entered.'],
      trigger,
      version,
      runKey,
      [
        'evidence',
        maybeText,
        'What it rests on beside its trigger, as JSON text: anonymous_id, begun (of a stall), conditions with the message ids of their events. NULL for nothing. journey_entry_events has the events.',
      ],
    ],
  },
  {
    name: 'journey_entry_events',
    comment: 'An event that an entry rests on: the very items that somebody looked at.',
    isContract: true,
    columns: [
      workspace,
      journey,
      personToday(),
      ['entered_at', time, 'When the person entered.'],
      runKey,
      [
        'role',
        'String',
        'trigger (it triggered), begun (it began the stall), segment or filters (a condition of these counted it).',
      ],
      ['pointer', text, 'Of the condition, as a JSON pointer into its definition; else empty.'],
      ['message_id', text, 'The event: events.message_id.'],
      ['type', label, 'event, page or screen.'],
      ['name', maybeLabel, 'Its name.'],
      ['timestamp', time, 'Its own time.'],
      ['previously_anonymous', 'Bool', 'The person was a visitor then whom nobody knew.'],
      ['properties', maybeText, 'Its properties, as JSON text.'],
    ],
  },
  {
    name: 'journey_skips',
    comment: 'A trigger of a running journey that led to no entry, and why.',
    isContract: true,
    columns: [
      workspace,
      journey,
      personToday(),
      runKey,
      ['at', time, 'When it was decided.'],
      [
        'reason',
        label,
        'filters_not_met, frequency, held_out, global_holdout, too_old (the event was more than 72 hours old when it came to the person), inherited, key_limit or stall_limit (more than 64 stalls of a run at once).',
      ],
      trigger,
      version,
      [
        'detail',
        maybeText,
        'More, as JSON text: of filters_not_met the pointer of the condition; of frequency last_at, and held_out_at of who never entered since they are held out.',
      ],
    ],
  },
];

const message: Column = [
  'message_id',
  label,
  'The on-site message, as its definition is named. No event id.',
];
const messageVersion: Column = ['version', 'UInt64', 'Version of its definition.'];

export const messageViews: readonly ViewEntry[] = [
  {
    name: 'message_events',
    comment: 'Something that happened between an on-site message and a visitor.',
    isContract: true,
    columns: [
      workspace,
      message,
      messageVersion,
      ['variant', maybeLabel, 'What was shown; holdout for who was held out; NULL before it is chosen.'],
      ['anonymous_id', text, 'The visitor.'],
      ['person_id', maybeText, 'Who the visitor turned out to be, today; NULL while anonymous.'],
      [
        'event',
        label,
        'eligible, refused, held_out, shown, clicked, dismissed, snoozed, submitted or converted. Conversions of who was held out are among the last: they say reason held_out. message_report keeps them apart.',
      ],
      [
        'reason',
        maybeLabel,
        'Of refused why; of converted click_through, view_through or held_out. Else NULL.',
      ],
      ['action', maybeText, 'The button that was clicked.'],
      ['at', time, 'When.'],
      ['exposure', maybeText, 'One showing: what is clicked or dismissed names the same.'],
      ['cause_message_id', maybeText, 'Of converted the event that counts: events.message_id.'],
      ['value', maybeText, 'Of converted what it was worth, digits as they were sent.'],
      ['currency', maybeLabel, 'Of value: three letters in capitals; other for all that is no code.'],
    ],
  },
  {
    name: 'message_report',
    comment: 'A message, version and arm, with what came of it. The arm without a message is holdout.',
    isContract: true,
    columns: [
      workspace,
      message,
      messageVersion,
      ['variant', label, 'The arm: a variant, or holdout.'],
      ['people', count, 'Shown or held out: people, and visitors whom nobody knows.'],
      ['visitors', count, 'The same counted by browser.'],
      ['identified', count, 'Visitors among them who are known by now.'],
      ['shown', count, 'Showings.'],
      ['clicked', count, 'Clicks.'],
      ['dismissed', count, 'Dismissals.'],
      ['snoozed', count, 'Put off until later.'],
      ['submitted', count, 'Forms that were sent.'],
      ['click_through', count, 'Conversions of who had clicked.'],
      ['view_through', count, 'Conversions of who had only seen it.'],
      ['converted', count, 'People who converted.'],
      ['conversions', count, 'Conversions.'],
      ['value', 'Map(String, Float64)', 'What the conversions were worth, by currency.'],
      ['rate', maybeDouble, 'converted of people.'],
      ['rate_low', maybeDouble, 'Lower bound of the rate, with 95 % confidence.'],
      ['rate_high', maybeDouble, 'Upper bound.'],
      ['compared', count, 'Of people those who met the message in this version, not in an earlier one.'],
      ['compared_rate', maybeDouble, 'converted of compared.'],
      [
        'lift',
        maybeDouble,
        'How much higher compared_rate is than that of the holdout: 0.1 is ten per cent. NULL without one.',
      ],
    ],
  },
];
