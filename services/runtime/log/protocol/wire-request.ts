/** A request before it has a connection: what it asks, in which version, and the bytes of its body. */
export interface WireRequest {
  readonly apiKey: number;
  readonly apiName: string;
  readonly apiVersion: number;
  /** Versions with compact types also have tagged fields in both headers. */
  readonly flexible?: boolean;
  /** Not copied: must not change before the answer is there. */
  readonly body: readonly Buffer[];
  /** Raises the connection's limit of 15 s. */
  readonly timeoutMs?: number;
}
