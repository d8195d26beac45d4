export function whatIsMissing(machine?: string, env?: Partial<NodeJS.ProcessEnv>): string | null;
