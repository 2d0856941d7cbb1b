export const serviceNodeOptions: readonly string[];
