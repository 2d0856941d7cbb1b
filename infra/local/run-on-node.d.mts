export interface NodeRun {
  /** A file of JavaScript or TypeScript. */
  readonly script: string;
  readonly args: readonly string[];
  /** Of Node itself. */
  readonly options?: readonly string[];
}
export function runOnNode(root: string, run: NodeRun): Promise<void>;
