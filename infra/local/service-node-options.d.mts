export const serviceNodeOptions: readonly string[];
export function nodeOptionsOf(name: string | undefined): readonly string[];
