export function makeScratch(purpose: string): string;
export function removeScratch(folder: string): void;
export function sweepScratch(): string[];
