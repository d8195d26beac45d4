export const ROOT: string;
export function stateDir(env?: NodeJS.ProcessEnv): string;
export function stateLock(folder: string): string;
