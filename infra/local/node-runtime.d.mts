export interface OwnNode {
  readonly platform: string;
  readonly arch: string;
  readonly version: string;
  readonly execPath: string;
}
export interface NodeChoice {
  readonly file: string;
  readonly version: string;
  readonly fault?: undefined;
}
export interface NoNode {
  readonly fault: string;
  readonly version?: undefined;
}
export const RUNTIME_MAJOR: number;
export const runtimePackages: Readonly<Record<string, string>>;
export function chooseNode(root: string, own?: OwnNode): NodeChoice | NoNode;
export function pinnedNode(root: string, own: Pick<OwnNode, 'platform' | 'arch'>): NodeChoice | undefined;
