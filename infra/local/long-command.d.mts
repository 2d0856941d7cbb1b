export class CommandFailed extends Error {
  readonly output: string;
}
export interface LongCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}
export interface SizeTeller {
  readonly onOutput?: (text: string) => void;
  readonly text: () => string | Promise<string>;
  readonly whole?: () => string | Promise<string>;
}
export function runLong(what: string, command: LongCommand, size: SizeTeller): Promise<string>;
