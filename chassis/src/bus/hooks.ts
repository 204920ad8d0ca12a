/** What became of one delivery. */
export type ConsumeOutcome = 'handled' | 'waits' | 'retried' | 'split' | 'dead';

/** For metrics; each runs after the fact. */
export type BusHooks = {
  onPublished?: (topic: string, messages: number) => void;
  onConsumed?: (topic: string, outcome: ConsumeOutcome) => void;
};
