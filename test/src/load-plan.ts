// What the load generator is told, and what it tells.

export type Shot = {
  /** When it is due, in milliseconds after the start. */
  atMs: number;
  token: string;
  key: string;
  body: string;
};

export type LoadPlan = { url: string; connections: number; shots: Shot[] };

export type Hit = {
  key: string;
  atMs: number;
  /** From the moment it was due to the last byte of its answer. */
  latencyMs: number;
  /** 0: no answer. */
  status: number;
  orderId?: string;
  code?: string;
};
