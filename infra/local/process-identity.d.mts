export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}
export function startOf(pid: number): string | undefined;
export function isAlive(identity: ProcessIdentity): boolean;
export function identityOf(pid: number): ProcessIdentity;
