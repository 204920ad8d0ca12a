// The load generator as a process of its own, so that it does not wait for whom it measures.

import type { Run } from './plan.ts';
import { runLoad } from './runner.ts';

process.on('message', (run: Run) => {
  runLoad(run).then(
    (outcome) => process.send?.({ type: 'done', outcome }),
    (error) => process.send?.({ type: 'failed', reason: String(error?.stack ?? error) }),
  );
});
process.once('disconnect', () => process.exit());
