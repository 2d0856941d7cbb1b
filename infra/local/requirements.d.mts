export const NODE_MAJOR_MIN: number;
export const JAVA_MAJOR_MIN: number;
export function missingRequirement(
  root: string,
  env: NodeJS.ProcessEnv,
  need: { readonly java: boolean },
): string | undefined;
export function javaCommand(env: NodeJS.ProcessEnv): string;
export function jarsFolder(root: string): string;
