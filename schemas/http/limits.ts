/** Limits of the HTTP calls, as Customer.io documents them (spec A.0) unless a line says that it is ours. */

/** An id, email or cio_id; also an anonymous id (ours: the document names none for it). */
export const identifierBytesMax = 150;
export const attributeNameBytesMax = 150;
/** A string, number or boolean. Lists and objects are bounded by the call. */
export const attributeValueBytesMax = 1_000;
export const attributesMax = 300;
export const eventNameBytesMax = 100;
/** Ours: a page is named by its URL, which the limit on event names must not cost us. */
export const pageNameBytesMax = 8_192;
export const eventDataBytesMax = 100_000;
/** Ours: what a push service calls a device; those of Android have more than 150 bytes. */
export const deviceTokenBytesMax = 4_096;
/** Ours: properties and context of one event, relationships among them. Only an identify of Track v1 may be so large. */
export const eventTextBytesMax = 980_000;
/**
 * Ours: an event with all its fields, as a value of events.collected. What becomes of it carries more than it did
 * (who, when, from where), and must be a record of the log as well.
 */
export const eventRecordBytesMax = 1_000_000;
/** One operation of Track v2, or one call of Pipelines. */
export const callBytesMax = 32 * 1_024;
/** A batch of Track v2 or Pipelines. */
export const batchBytesMax = 500 * 1_024;
/** Ours: calls in a batch, so that one request cannot hold the producer's whole queue. */
export const batchCallsMax = 10_000;
/** Ours: a pattern in a condition or among a workspace's settings. */
export const patternCharsMax = 500;
/** Ours: instructions of a pattern as pattern-size.ts counts them, which are never fewer than its program has. */
export const patternInstructionsMax = 1_000;
/** Ours: the patterns of one definition, or of a workspace's settings, together. */
export const definitionPatternInstructionsMax = 4_000;
/** Ours: the patterns of all definitions and settings of a workspace together. */
export const workspacePatternInstructionsMax = 20_000;
/** Ours: a pattern sees so much of the beginning of a text and no more. */
export const patternTextCodePointsMax = 1_000;
/**
 * Ours: a definition or the settings of a workspace, as JSON; a larger one is answered 413. As it is kept, a number such as
 * 1e20 takes five times as much, which is one record of the log all the same.
 */
export const definitionBytesMax = 64 * 1_024;
/** Ours: segments, journeys, messages and settings of a workspace together, as JSON: every service has them in memory. */
export const workspaceDefinitionBytesMax = 8 * 1_024 * 1_024;
/** Ours: a request over it, before or after decompression, is answered 413 and not read further. */
export const bodyBytesMax = 1_024 * 1_024;
/** Ours: brackets within brackets; deeper JSON would overflow readers behind us. */
export const nestingMax = 100;
/** Ours: a longer message id is replaced by its digest, so that repeats are still recognised. */
export const messageIdBytesMax = 150;
/** Ours: what ClickHouse's DateTime64(3) can hold. Later times are moved to the border, earlier ones are none. */
export const timestampMsMin = Date.UTC(1900, 0, 1);
export const timestampMsMax = Date.UTC(2299, 11, 31);
/** Ours: who asks for a split, and why. */
export const splitTextBytesMax = 1_000;
export const splitAnonymousIdsMax = 1_000;
export const splitIdentifiersMax = 100;
/** Ours: all that a split says, as it is kept. It goes into a fact, news for every lane partition and activities. */
export const splitBytesMax = 256 * 1_024;
/** Ours: the context of a batch holds for each call that brings none, so that one request may become many times as much. */
export const batchContextsBytesMax = 8 * 1_024 * 1_024;
/** Ours: the attributes of an object go with each who is put to it, so that one operation may become many times as much. */
export const objectAttributesBytesMax = 2 * 1_024 * 1_024;
/** People in one call about a manual segment. */
export const membershipIdsMax = 1_000;
/** Ours: all that such a call says, as it is kept. */
export const membershipBytesMax = 256 * 1_024;
