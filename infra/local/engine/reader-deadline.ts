/**
 * The end of a reader's query, from without. In the midst of one call of one function the engine looks at no limit: such
 * a query outlives its time, and keeps its place and one processor.
 */
export interface ReaderDeadline {
  readonly endMs: number;
  /** Beyond endMs. */
  readonly overdueMs: number;
  /** Closes the client's connection, upon which the query is killed. */
  readonly end: () => void;
  /** Once, when it still runs then. */
  readonly tell: (seconds: number) => void;
}

/** @returns to be called when the query has ended. */
export function readerDeadline({ endMs, overdueMs, end, tell }: ReaderDeadline): () => void {
  const ending = setTimeout(end, endMs);
  const telling = setTimeout(() => {
    tell((endMs + overdueMs) / 1000);
  }, endMs + overdueMs);
  return () => {
    clearTimeout(ending);
    clearTimeout(telling);
  };
}
