/** Generated from schemas/avro by `npm run generate`. Times are milliseconds since 1970. Do not edit. */
/** A line of the activity log that is not itself an event. */
export interface Activity {
  readonly workspace: string;
  /** As Customer.io documents it, for example Anonymous Data Merged. */
  readonly kind: string;
  readonly person_id: string | null;
  readonly anonymous_id: string | null;
  readonly timestamp: number;
  readonly processed_at: number | null;
  readonly message_id: string | null;
  /** JSON object. */
  readonly detail: string | null;
}

export interface InputRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

export interface OutputHash {
  readonly partition: number;
  readonly records: number;
  /** Of keys and values, in order. */
  readonly hash: number;
}

export interface FailedRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Name of what the service had kept of an earlier record, in its input partition; empty: the record at the offset. */
  readonly kept: string;
  readonly step: string;
  readonly code: string;
  readonly message: string;
}

/** One committed batch of a task: all that chance decided. State and outputs are a pure function of these and the logs that they point to. */
export interface BatchRecord {
  /** Random. */
  readonly batch_id: string;
  readonly service: string;
  readonly task: number;
  readonly layout: number;
  /** Number of tasks of the layout. */
  readonly tasks: number;
  readonly sequence: number;
  /** The batch's clock. */
  readonly time: number;
  /** Definitions below this offset were in force. */
  readonly definitions_offset: number;
  readonly decider_version: number;
  /** In the order taken. */
  readonly ranges: readonly InputRange[];
  /** An entry for each input partition that wrote something. */
  readonly outputs: readonly OutputHash[];
  /** Records whose handling failed: a replay puts them aside at once, as this batch did. */
  readonly dead_letters: readonly FailedRecord[];
}

/** One accepted call about a visitor or a person (never a marker). The routing fields come first, so that a reader that only routes decodes a few bytes. JSON stays text: lossless for any JSON. */
export interface CollectedEvent {
  /** When ingest took it. Windows run on it. */
  readonly received_at: number;
  readonly type:
    | 'event'
    | 'page'
    | 'screen'
    | 'identify'
    | 'marker'
    | 'relate'
    | 'traits'
    | 'membership'
    | 'withdrawal'
    | 'consent'
    | 'object';
  /** Kind of the identifier that the call names; none while nobody is named. */
  readonly identifier_kind: 'none' | 'id' | 'email' | 'cio_id';
  /** The identifier as sent, or null. */
  readonly identifier: string | null;
  readonly anonymous_id: string | null;
  /** The client's message id, or one minted by ingest before the first send. */
  readonly message_id: string;
  /** The event's own time; without one, received_at. */
  readonly timestamp: number;
  readonly workspace: string;
  /** The route that took it, for example track.v1.event. */
  readonly source: string;
  /** Name of the event, page or screen; null for an identify. */
  readonly name: string | null;
  /** Identify: the id that the call carries beside or as its identifier. */
  readonly id: string | null;
  /** Identify: the email likewise, as sent. */
  readonly email: string | null;
  /** Identify: the cio_id likewise. */
  readonly cio_id: string | null;
  /** Identify with _update: never creates a person. */
  readonly update_only: boolean;
  /** Identify with _timestamp: orders its attributes against other updates. */
  readonly attributes_at: number | null;
  /** JSON object as sent: the event's data, or an identify's attributes. relate: {action: add or delete, relationships: [{object_type_id, object_id, attributes?, object_attributes?}]}. traits: what a visitor says of themselves. membership: {action: add or remove}, of the manual segment that name says. object: {action: set or delete, object_type_id, object_id, attributes?}, of an object by itself. */
  readonly properties: string | null;
  /** JSON object as sent. */
  readonly context: string | null;
  /** Its user agent says that a program did it, which reads pages and is no visitor. */
  readonly bot: boolean;
  /** False: while nobody is named by it, it waits for nobody, as the workspace wants it of bots. */
  readonly waits: boolean;
}

/** A record that a service could not handle, as it was read. */
export interface DeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly service: string;
  readonly code: string;
  readonly message: string;
  readonly at: number;
  /** Name of what the service had kept of an earlier record: value is that, and the offset says what was read when it failed. */
  readonly kept: string;
  /** decode, admit or handle. */
  readonly step: string;
  /** Of the whole key. */
  readonly key_bytes: number;
  /** Of the whole value, of which a very large one is cut. */
  readonly value_bytes: number;
  /** Of the whole value, in hex. */
  readonly value_sha256: string;
}

/** A versioned workspace setting, segment, journey or message; or the test clock. Read in order from the start. */
export interface Definition {
  readonly kind: 'workspace' | 'segment' | 'journey' | 'message' | 'clock' | 'unknown';
  readonly workspace: string;
  readonly id: string;
  /** 1, 2, 3 … for each kind, workspace and id. */
  readonly version: number;
  readonly deleted: boolean;
  readonly at: number;
  /** JSON as accepted; kind clock: null, the time is at. */
  readonly body: string | null;
}

/** Something refused or left out, and why. */
export interface DroppedEvent {
  readonly workspace: string;
  /** A code of schemas/reasons.ts. */
  readonly reason: string;
  /** The service. */
  readonly stage: string;
  readonly at: number;
  readonly message_id: string | null;
  readonly anonymous_id: string | null;
  readonly person_id: string | null;
  /** JSON object. */
  readonly detail: string | null;
}

/** Identity's answer to a lane, or news for every partition. passed answers a barrier. control_ended: the control call whose markers have this request_number is decided, or will never come. */
export interface IdentityDecision {
  readonly kind:
    | 'granted'
    | 'resolved'
    | 'refused'
    | 'absorbed'
    | 'deleted'
    | 'suppressed'
    | 'unsuppressed'
    | 'split'
    | 'unknown'
    | 'passed'
    | 'control_ended';
  readonly workspace: string;
  /** Null when it goes to every partition. */
  readonly lane: string | null;
  readonly request_number: number;
  /** granted, resolved: whose the lane or the identifier is. absorbed, deleted, suppressed, split: whom it happened to. */
  readonly person_id: string | null;
  /** absorbed: the survivor. split: who now has what detail names. */
  readonly other_person_id: string | null;
  /** granted: receive time of the claim. The window runs from here. */
  readonly claimed_at: number | null;
  /** The call created the person. */
  readonly person_created: boolean;
  readonly identifier_kind: 'none' | 'id' | 'email' | 'cio_id';
  readonly identifier: string | null;
  /** refused: a code of schemas/reasons.ts. */
  readonly reason: string | null;
  readonly fact_number: number | null;
  /** JSON. granted, resolved: {conflicts: [{kind, value, reason}]}. absorbed, deleted: {cause, freed: [{kind, value}]} and absorbed {moved}: an identifier in freed names nobody from now on, one in moved names the survivor. split: {anonymous_ids, identifiers, by, why}; without other_person_id its identifiers became free. */
  readonly detail: string | null;
  /** granted, resolved: number of the last fact about the person; known_id and known_email are the identifiers that they have since. */
  readonly known_as_of: number | null;
  readonly known_id: string | null;
  readonly known_email: string | null;
}

/** A numbered, accepted fact. Identity's state is a fold of these. */
export interface IdentityFact {
  /** 1, 2, 3 … within the workspace. */
  readonly number: number;
  readonly workspace: string;
  readonly kind:
    | 'person_created'
    | 'identifier_added'
    | 'anonymous_claimed'
    | 'person_absorbed'
    | 'person_deleted'
    | 'identifier_suppressed'
    | 'identifier_unsuppressed'
    | 'person_split'
    | 'anonymous_moved'
    | 'identifier_moved'
    | 'anonymous_named'
    | 'unknown';
  /** Receive time of the call that caused it. */
  readonly at: number;
  readonly person_id: string | null;
  /** person_absorbed: the survivor. person_split, *_moved: who had it before. */
  readonly other_person_id: string | null;
  readonly identifier_kind: 'none' | 'id' | 'email' | 'cio_id' | 'anonymous_id';
  /** Canonical form. */
  readonly identifier: string | null;
  readonly lane: string | null;
  /** Message id of the call that caused it. */
  readonly message_id: string | null;
  /** JSON. */
  readonly detail: string | null;
}

/** What only the single writer of a workspace may decide. A watermark says how far a lane partition has come; a barrier asks only to be answered after every control call that stands before it; a marker says that a lane partition has read the marker of a control call. */
export interface IdentityRequest {
  readonly kind:
    | 'claim'
    | 'resolve'
    | 'merge'
    | 'delete'
    | 'suppress'
    | 'unsuppress'
    | 'split'
    | 'watermark'
    | 'barrier'
    | 'marker'
    | 'membership';
  readonly workspace: string;
  /** Receive time of the call; for a watermark the time before which source_partition has handled everything. */
  readonly received_at: number;
  /** Key of the lane that asks and gets the decision. */
  readonly lane: string | null;
  /** claim, resolve, barrier: number within the lane, echoed in the decision. Control calls and marker: the number of the markers on events.collected, 0 for a call without any. */
  readonly request_number: number;
  /** claim, resolve, barrier: partition of events.collected of the event behind the request. watermark, marker: the partition that it speaks for. */
  readonly source_partition: number | null;
  /** claim, resolve, barrier: offset of that event. marker: of the marker. watermark: every record of source_partition below this offset has had its whole effect. */
  readonly source_offset: number;
  /** Control calls: one past the call's marker in each partition of events.collected. Identity holds the call until every partition's watermark has reached its entry, so it overtakes nothing that was acknowledged before it; exact whatever the clocks say. */
  readonly positions: readonly number[];
  /** claim: the anonymous id to bind. */
  readonly anonymous_id: string | null;
  /** The identifier that decides whom the call is about. */
  readonly identifier_kind: 'none' | 'id' | 'email' | 'cio_id';
  readonly identifier: string | null;
  /** Further identifiers that the call carries. */
  readonly id: string | null;
  readonly email: string | null;
  readonly cio_id: string | null;
  readonly update_only: boolean;
  readonly message_id: string;
  /** merge: kind of the secondary. */
  readonly other_kind: 'none' | 'id' | 'email' | 'cio_id';
  /** merge: the secondary. */
  readonly other: string | null;
  /** JSON: for a split {anonymous_ids, identifiers, into, by, why}; for a membership {segment_id, action, kind, values}. */
  readonly detail: string | null;
}

/** The answer to an InAppRequest, written with what it did: who is answered can rely on it. */
export interface InAppAnswer {
  readonly workspace: string;
  readonly request_id: string;
  /** The request's. */
  readonly at: number;
  /** show: the message may be shown. Others: the request had its effect, or had it before. */
  readonly taken: boolean;
  /** Not taken: a code (contract, *On-site messages*). */
  readonly reason: string | null;
  /** show: the variant that counts. */
  readonly variant: string | null;
}

/** What a page asks of the on-site messages of one visitor, in the order of the visitor's events: a look is a poll that has something to count, a show asks whether a message may be shown now, a report tells what became of it, a link says which anonymous id a visitor turned out to have, of whom a client knew only a token of its own. */
export interface InAppRequest {
  readonly kind: 'look' | 'show' | 'report' | 'consent' | 'link' | 'unknown';
  readonly workspace: string;
  readonly anonymous_id: string;
  /** Made by the gateway: the answer has it. */
  readonly request_id: string;
  /** When the gateway received it. */
  readonly at: number;
  readonly message_id: string | null;
  /** show, report: names one showing; made by the client, so that it can ask again. */
  readonly exposure: string | null;
  /** show: what the client has in hand; if it is not the visitor's, nothing is shown. */
  readonly variant: string | null;
  /** report: clicked, dismissed, snoozed, submitted or not_shown; shown where the client's own plugin has shown it already. */
  readonly event: string | null;
  /** report: name of the button. */
  readonly action: string | null;
  /** Name of the page that the visitor is on, mostly its url. */
  readonly page: string | null;
  /** Path of that page. */
  readonly path: string | null;
  /** User agent of the browser. */
  readonly agent: string | null;
  /** The client says that it knows who this is. */
  readonly identified: boolean;
  /** report of snoozed: for how long. */
  readonly minutes: number | null;
  /** consent: whether there is any. */
  readonly consent: boolean | null;
  /** link: the anonymous id. The request is in the lane of the token. */
  readonly linked_id: string | null;
  /** show: the client has gone by the page rules itself, and nobody can say here which page it is on. */
  readonly any_page: boolean;
  /** look: messages whose texts the poll could not fill in, each as text_too_costly or text_unfillable, a colon and the message. */
  readonly unfilled: readonly string[];
}

/** What a person takes along of what was shown to a visitor that is theirs: to the partition of the person, where later conversions are seen. */
export interface InAppTransfer {
  readonly kind: 'exposure' | 'erase' | 'unknown';
  readonly workspace: string;
  readonly person_id: string;
  readonly anonymous_id: string;
  /** exposure: the first of the message, or when the visitor was first held out. */
  readonly at: number;
  readonly message_id: string | null;
  readonly variant: string | null;
  readonly version: number;
  readonly held_out: boolean;
  readonly clicked: boolean;
}

/** A person entered a journey. */
export interface JourneyEntry {
  readonly workspace: string;
  readonly journey_id: string;
  readonly person_id: string;
  readonly entered_at: number;
  /** Null when a timer caused it that no single event began. */
  readonly trigger_message_id: string | null;
  /** Version of the definition that let the person in. */
  readonly rule_version: number;
  /** Which of the person's runs: the value that the journey's key has. Null: the journey has no key, or the event no such value. */
  readonly key: string | null;
  /** JSON object, what the entry rests on beside its trigger: {anonymous_id?, begun?: message ids of the events that began its stall, conditions: [{segment?, pointer, events: message ids}]}, latest first, 200 at most. Null: nothing. */
  readonly evidence: string | null;
}

/** A trigger of a running journey that led to no entry, and why. */
export interface JourneySkip {
  readonly workspace: string;
  readonly journey_id: string;
  readonly person_id: string;
  /** Which of the person's runs; as in JourneyEntry. */
  readonly key: string | null;
  /** When it was decided. */
  readonly at: number;
  /** A code of schemas/skip-reasons.ts. */
  readonly reason: string;
  /** Null when a timer caused it that no single event began. */
  readonly trigger_message_id: string | null;
  /** Version of the definition that was asked. */
  readonly rule_version: number;
  /** JSON object that depends on the reason. */
  readonly detail: string | null;
}

/** What became of an API key. Of each kind of change of a key the last one counts, in any order; the key itself is never here. */
export interface KeyChange {
  readonly key_id: string;
  /** expires: it works until at. forgotten: it has ended and is listed no more. */
  readonly change: 'made' | 'expires' | 'revoked' | 'used' | 'forgotten' | 'unknown';
  readonly at: number;
  /** Id of the key that asked for it; empty: this installation itself. */
  readonly by: string;
  /** Of made; empty for a key of the whole installation. */
  readonly workspace: string;
  /** Of made. */
  readonly kind: 'browser' | 'server' | 'track' | 'app' | 'admin' | 'unknown';
  /** Of made. */
  readonly name: string;
  /** Of made, kind track. */
  readonly site_id: string | null;
  /** Of made: SHA-256 of what the key is and of its secret. */
  readonly digest: Buffer | null;
}

/** One record of a person's stream, or what was said of an object by itself, to every partition. Readers skip kinds that they do not know. */
export interface MergedEvent {
  readonly kind: 'event' | 'watermark' | 'absorb' | 'absorbed' | 'deleted' | 'split' | 'object';
  /** Empty for a watermark of all workspaces. */
  readonly workspace: string;
  /** Whose stream this is, now; empty for a watermark and an object. */
  readonly person_id: string;
  /** When it became this person's: receive time of the claim, or its own receive time. For a watermark: every lane of source_partition has been handled up to this time. */
  readonly merged_at: number;
  readonly previously_anonymous: boolean;
  /** Watermark: partition of events.collected that it speaks for. */
  readonly source_partition: number | null;
  /** absorb: whom this person takes in. absorbed: who took this person in. split: the other of the two who were taken apart. */
  readonly other_person_id: string | null;
  /** Number in identity.log of the fact behind an absorb, absorbed, deleted or split. */
  readonly fact_number: number | null;
  /** Number of the last fact about the person when identity said what identifiers they have: known_id and known_email are those, whatever the event claims. Of two records the greater number counts. Null: identity was not asked, so there is nothing new. */
  readonly known_as_of: number | null;
  /** The person's id as of known_as_of. */
  readonly known_id: string | null;
  /** The person's email likewise. */
  readonly known_email: string | null;
  /** Event: number of the last fact about the person when identity said whose the name is that the event goes by. A later split takes what was said before it, and nothing else. 0 for other kinds. */
  readonly decided_as_of: number;
  /** The event, for the kinds event and object; null otherwise. */
  readonly event: CollectedEvent | null;
}

/** Something that happened with an on-site message and a visitor. */
export interface MessageEvent {
  readonly workspace: string;
  readonly message_id: string;
  /** Of the definition. */
  readonly version: number;
  readonly variant: string | null;
  readonly anonymous_id: string;
  /** As far as it was known then. */
  readonly person_id: string | null;
  readonly event:
    | 'eligible'
    | 'refused'
    | 'held_out'
    | 'shown'
    | 'clicked'
    | 'dismissed'
    | 'snoozed'
    | 'submitted'
    | 'converted'
    | 'unknown';
  /** refused: a code. converted: click_through, view_through or held_out. */
  readonly reason: string | null;
  /** clicked: name of the button. */
  readonly action: string | null;
  readonly at: number;
  /** Names one showing. */
  readonly exposure: string | null;
  /** converted: the event that is the conversion. */
  readonly cause_message_id: string | null;
  /** converted: its total, a number as text. */
  readonly value: string | null;
  readonly currency: string | null;
}

/** A person as identity (aspect graph) or the trigger (aspect profile) knows them after this change. The key is workspace:person_id:aspect and the topic is compacted, so each record is whole. */
export interface PersonChange {
  readonly aspect: 'graph' | 'profile';
  readonly workspace: string;
  readonly person_id: string;
  readonly at: number;
  /** Grows with every change of this person and aspect. */
  readonly version: number;
  readonly state: 'alive' | 'absorbed' | 'deleted';
  readonly absorbed_into: string | null;
  readonly id: string | null;
  readonly email: string | null;
  readonly created_at: number | null;
  readonly first_seen_at: number | null;
  /** JSON object; aspect profile. */
  readonly attributes: string | null;
  /** JSON list of {object_type_id, object_id, attributes, object_attributes}; aspect profile. Null for none. */
  readonly relationships: string | null;
}

/** A person entered or left a segment. */
export interface SegmentChange {
  readonly workspace: string;
  readonly segment_id: string;
  readonly person_id: string;
  readonly change: 'entered' | 'left';
  readonly at: number;
  /** Of the call that caused it; null when none did. */
  readonly cause_message_id: string | null;
  readonly rule_version: number;
  /** call, time, definition (made, changed or deleted), merge, split or deletion. Null: written before this was told. */
  readonly cause: string | null;
}

/** A row of a table of the shop's own, such as what is in stock, which texts of on-site messages look up by its key. The last one of a key counts. */
export interface TableRow {
  readonly workspace: string;
  readonly table: string;
  readonly key: string;
  /** When the gateway received it. */
  readonly at: number;
  /** JSON of its fields, each a scalar; null: there is no such row any more. */
  readonly row: string | null;
}

/** What moves between partitions of the trigger when people merge, what they ask each other of it, and pasts of new definitions. */
export interface Transfer {
  readonly kind: 'state' | 'record' | 'past' | 'unknown' | 'question' | 'answer';
  readonly workspace: string;
  /** To whom. */
  readonly person_id: string;
  readonly from_person_id: string | null;
  readonly fact_number: number | null;
  readonly origin_partition: number | null;
  readonly origin_offset: number | null;
  /** JSON. */
  readonly state: string | null;
  /** A record of events.merged as it was read, with its wire header. */
  readonly record: Buffer | null;
}

export interface Records {
  readonly Activity: Activity;
  readonly BatchRecord: BatchRecord;
  readonly CollectedEvent: CollectedEvent;
  readonly DeadLetter: DeadLetter;
  readonly Definition: Definition;
  readonly DroppedEvent: DroppedEvent;
  readonly IdentityDecision: IdentityDecision;
  readonly IdentityFact: IdentityFact;
  readonly IdentityRequest: IdentityRequest;
  readonly InAppAnswer: InAppAnswer;
  readonly InAppRequest: InAppRequest;
  readonly InAppTransfer: InAppTransfer;
  readonly JourneyEntry: JourneyEntry;
  readonly JourneySkip: JourneySkip;
  readonly KeyChange: KeyChange;
  readonly MergedEvent: MergedEvent;
  readonly MessageEvent: MessageEvent;
  readonly PersonChange: PersonChange;
  readonly SegmentChange: SegmentChange;
  readonly TableRow: TableRow;
  readonly Transfer: Transfer;
}
