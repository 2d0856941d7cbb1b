/** Bounds of the embedded engine's HTTP side, with their units. */
export const limits = {
  /** Queries that run or wait for a thread; one more is refused with code 202, as a server does. */
  queriesMax: 100,
  /** Body of one request, decompressed only as far as its statement; an insert's data is spooled as it came. */
  bodyBytesMax: 512 * 1024 * 1024,
  /** Bodies of all inserts under way. They lie in memory where /dev/shm exists. */
  spoolBytesMax: 1024 * 1024 * 1024,
  /** Text of one statement without an insert's data. */
  statementBytesMax: 16 * 1024 * 1024,
  /** Where the statement of an insert has to end when statement and data come in one body. */
  insertStatementBytesMax: 256 * 1024,
  /** Results that cannot be streamed are held whole. */
  resultBytesMax: 256 * 1024 * 1024,
  /** Named sessions, of all accounts. */
  sessionsMax: 100,
  sessionIdleSecondsMax: 3_600,
  /** Text of a reader's statement; it is parsed before it runs. */
  readerStatementBytesMax: 128 * 1024,
  /** Queries of readers that run at once; with the next four, what all readers have in sum. */
  readersRunningMax: 2,
  readersWaitingMax: 32,
  readerWaitMsMax: 30_000,
  /** A reader's query: time, memory, space on disk for sorting and grouping. Threads: see reader-settings.ts. */
  readerSecondsMax: 60,
  readerMemoryBytesMax: 1024 * 1024 * 1024,
  readerDiskBytesMax: 2 * 1024 * 1024 * 1024,
  /** Beyond readerSecondsMax, for a client that does not take its answer; then the connection is closed. */
  readerGraceMs: 5_000,
  /** Beyond that grace: the log says that the query cannot be stopped. */
  readerOverdueMs: 30_000,
  /** Time for queries under way to end at a stop. */
  stopMsMax: 10_000,
} as const;
