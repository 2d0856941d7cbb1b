/** Events of people and of visitors, as the data dictionary describes them. */
import { personToday, types, workspace, type Column, type ViewEntry } from './entry.ts';

const { text, label, maybeText, maybeLabel, time, flag, double, count } = types;

const who = (isKnown: boolean): readonly Column[] => [
  [
    'message_id',
    text,
    isKnown
      ? 'The id that its client gave it. A repeat under the same names (anonymous id, userId) is dropped for two days; under others, as when browser and server tell of one order, it is a row more of the person: see the cookbook, One order, several rows.'
      : 'The id that its client gave it; a repeat by the same visitor is dropped for two days.',
  ],
  ['type', label, 'event (a track), page or screen.'],
  [
    'name',
    maybeLabel,
    "The event's name; of a page its url, else its own name; NULL for a page or screen without any.",
  ],
  [
    'timestamp',
    time,
    'When it happened, by its own clock, as it was sent: it may lie in the future, or years back. Windows over behaviour use least(timestamp, received_at), as rules do.',
  ],
  ['received_at', time, 'When it arrived here.'],
  ...(isKnown
    ? [
        [
          'merged_at',
          time,
          "When it became this person's: as it arrived, or at the identify that claimed it.",
        ] as const,
      ]
    : []),
  [
    'previously_anonymous',
    flag,
    isKnown
      ? 'It was done before anybody knew who the visitor was.'
      : "Always false here: it is nobody's yet.",
  ],
  ['anonymous_id', maybeText, 'The visitor: the id of a browser or app. Never join on it to find a person.'],
  ['properties', maybeText, "What the event says, as JSON text: JSONExtractString(properties, 'sku')."],
  [
    'context',
    maybeText,
    'Where it happened, as JSON text: page, campaign, userAgent, locale and what else the client adds.',
  ],
  [
    'bot',
    flag,
    'Its user agent is that of a program that reads pages, such as a search engine, and of no visitor.',
  ],
];
const source: readonly Column[] = [
  ['campaign_source', label, 'context.campaign.source; empty if absent.'],
  ['campaign_name', label, 'context.campaign.name; empty if absent.'],
];
const order: readonly Column[] = [
  [
    'total',
    double,
    'properties.total; 0 if absent or no number. A text that is a number counts as one, true as 1; rules count neither.',
  ],
  ['journey_id', label, 'properties.journey_id, as who reports a message says it; empty if absent.'],
  ['holdout', flag, 'properties.holdout; false if absent.'],
];
const shape: Column = [
  'shape',
  label,
  'Names and types of the properties: name:t each, the unit separator between them; t is " for text, 0 number, b boolean, n null, { object, [ list.',
];
const place: readonly Column[] = [
  ['_partition', 'UInt16', 'Partition of the topic that it came from.'],
  ['_offset', 'UInt64', 'Place on that partition: the order in which events of one lane were handled.'],
];

export const eventViews: readonly ViewEntry[] = [
  {
    name: 'events',
    comment: 'An event of a person, with the person of today.',
    isContract: true,
    columns: [workspace, personToday(), ...who(true), ...place],
  },
  {
    name: 'anonymous_events',
    comment: "An event that is nobody's, yet. It waits 30 days for an identify and is gone then.",
    isContract: true,
    columns: [workspace, ...who(false), ...place],
  },
  {
    name: 'event_values',
    comment: 'An event of a person, with what most questions ask of its JSON taken out when it was written.',
    isContract: false,
    columns: [workspace, personToday(), ...who(true), ...source, ...order, shape, ...place],
  },
  {
    name: 'anonymous_event_values',
    comment: "An event that is nobody's, yet, with what most questions ask of its JSON.",
    isContract: false,
    columns: [workspace, ...who(false), ...source, shape, ...place],
  },
  {
    name: 'person_events',
    comment: "Events of one person, found by the sort key: SELECT … FROM person_events(person = 'cio_…').",
    isContract: false,
    argument: 'person',
    columns: [workspace, personToday(), ...who(true), ...place],
  },
  {
    name: 'event_fields',
    comment: 'A property of an event, with one of the types in which it has come.',
    isContract: false,
    columns: [
      workspace,
      ['name', label, 'Of the event.'],
      ['property', text, 'Name of the property.'],
      ['type', text, 'text, number, boolean, null, object or list.'],
      ['events', count, 'How many events have brought it so, of people and of visitors.'],
      ['first_seen_at', time, 'When the first of them arrived.'],
      ['last_seen_at', time, 'When the last of them arrived.'],
    ],
  },
];
