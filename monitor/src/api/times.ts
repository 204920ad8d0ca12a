// Instants as the API writes them: ISO 8601 in UTC.

export const iso = (atMs: number): string => new Date(atMs).toISOString();
export const isoOfUs = (atUs: number): string => iso(Math.floor(atUs / 1000));
