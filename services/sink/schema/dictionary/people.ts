/** People and what names them, as the data dictionary describes them. */
import { personToday, types, workspace, type ViewEntry } from './entry.ts';

const { text, label, maybeText, time, maybeTime, count } = types;

export const peopleViews: readonly ViewEntry[] = [
  {
    name: 'people',
    comment: 'A person, now. Who was merged into another or deleted has no row.',
    isContract: true,
    columns: [
      workspace,
      ['person_id', text, 'The person: cio_ and a hash. It never changes, and never comes twice.'],
      ['id', maybeText, 'The id that your shop gave; NULL if nobody has said one.'],
      ['email', maybeText, 'In lower case; NULL if nobody has said one.'],
      [
        'created_at',
        maybeTime,
        'When the person signed up: the last time that calls have said; NULL if none has, or it was removed. What says no time changes nothing here, and stands in attributes.',
      ],
      [
        'attributes',
        maybeText,
        "What identifies have said, as JSON text: JSONExtractString(attributes, 'plan'). Of each attribute the latest.",
      ],
      [
        'first_seen_at',
        maybeTime,
        'The earliest that is known of the person, as a visitor or by name, by the clock that said it: a wrong one may say 2019.',
      ],
    ],
  },
  {
    name: 'identities',
    comment: 'A name of a person: an id, an email, a cio_id, or the anonymous id of a browser or app.',
    isContract: true,
    columns: [
      workspace,
      ['kind', text, 'id, email, cio_id or anonymous_id.'],
      ['value', text, 'The name itself.'],
      personToday(),
      ['linked_at', time, "Since when the name is the person's; of an anonymous id when it was claimed."],
    ],
  },
  {
    name: 'person_names',
    comment:
      'A name that somebody has or had, with who that is today: where a name from before a merge leads. A name that a merge freed and somebody else took up has a row for each who had it: whose it is now, identities says. Deleted people have none.',
    isContract: false,
    columns: [
      workspace,
      ['kind', text, 'id, email, cio_id or anonymous_id.'],
      ['value', text, 'The name itself, as identities has it.'],
      personToday(),
      ['held_by', text, 'The person who had it; another than person_id if they were merged since.'],
      ['linked_at', time, 'Since when the name was theirs.'],
      ['merged_at', maybeTime, 'When held_by was merged into another person; NULL if never.'],
      ['merge_message_id', maybeText, 'The call that merged them; NULL if never.'],
    ],
  },
  {
    name: 'person_devices',
    comment: 'A browser or app of a person, by its anonymous id. Join people by workspace and person_id.',
    isContract: true,
    columns: [
      workspace,
      personToday(),
      ['anonymous_id', text, 'The id of the browser or app.'],
      ['linked_at', time, 'When an identify claimed it for the person.'],
      ['events', count, "How many of its events are the person's."],
      ['first_event_at', maybeTime, 'When the first of them happened; NULL if there is none.'],
      ['last_event_at', maybeTime, 'When the last of them happened; NULL if there is none.'],
    ],
  },
  {
    name: 'relationships',
    comment: 'An object (a company, a course) that a person belongs to, now.',
    isContract: false,
    columns: [
      workspace,
      personToday(),
      ['object_type_id', text, 'The type of the object.'],
      ['object_id', text, 'The object.'],
      ['attributes', text, 'Of the relationship, as JSON text.'],
      [
        'object_attributes',
        text,
        'Of the object, as last said by itself or with this relationship, as JSON text.',
      ],
    ],
  },
  {
    name: 'activities',
    comment: 'A line of the activity log: events, and what happened to people that is no event.',
    isContract: true,
    columns: [
      workspace,
      [
        'kind',
        text,
        'Event, Page, Screen, or what happened otherwise: Anonymous Data Merged, Person Merged, Person Split, Person Deleted (of whom and when, and no more), Journey Holdout, Failed Merge …',
      ],
      [
        'person_id',
        maybeText,
        'The person of today, of Person Deleted the one who is gone; NULL while the visitor is anonymous.',
      ],
      ['anonymous_id', maybeText, 'The visitor, where the line is about one.'],
      ['timestamp', time, 'When it happened.'],
      ['processed_at', maybeTime, "When it became the person's; NULL while anonymous."],
      [
        'detail',
        maybeText,
        'More, as JSON text. Event, Page, Screen: name, message_id, previously_anonymous, properties. Anonymous Data Merged: count, oldest (when the first of them happened, in unix seconds), anonymous_id. Person Merged: absorbed (who is no more), cause, moved, freed. Person Split: from, into, not_moved. Failed Merge: primary, secondary, reason. Failed Attribute Change: attribute, value, reason. Journey Holdout: journey_id.',
      ],
    ],
  },
  {
    name: 'dropped',
    comment: 'A call or an event that was refused, left out or kept otherwise than it was sent, and why.',
    isContract: true,
    columns: [
      workspace,
      ['reason', label, 'The code: duplicate_message, corrected, rate_limited … All are in docs/errors.md.'],
      ['stage', label, 'Who found it: ingest, merger, identity, trigger.'],
      ['message_id', maybeText, 'Of the call or event; NULL if it had none that could be read.'],
      ['at', time, 'When it was refused or left out.'],
      [
        'detail',
        maybeText,
        'More, as JSON text: the rule that was broken, what was sent, what is kept. Of a call that was refused at the door: message, field, type, name, batch_index, and identifier as it was sent.',
      ],
    ],
  },
];
