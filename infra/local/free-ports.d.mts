export function listenOnce(port: number, host?: string): Promise<number | undefined>;
export function takenPort(env: NodeJS.ProcessEnv): Promise<string | undefined>;
