// The load generator as a process of its own, so that it does not wait for whom it measures.

import type { CommitRun, OrderRun } from './plan.ts';
import { runCommits, runOrders } from './runner.ts';

process.on('message', (run: OrderRun | CommitRun) => {
  const running = run.kind === 'orders' ? runOrders(run) : runCommits(run);
  running.then(
    (outcome) => process.send?.({ type: 'done', outcome }),
    (error) => process.send?.({ type: 'failed', reason: String(error?.stack ?? error) }),
  );
});
process.once('disconnect', () => process.exit());
process.once('error', () => process.exit()); // Nobody is there to hear us any more.
process.send?.({ type: 'ready' });
