// How operations are counted: what was refused has an answer, what failed has none.

import { ApiError } from '@rushlight/contracts';

export type OperationResult = 'ok' | 'refused' | 'failed';

/** Runs it, says how it went, and passes on what came of it. */
export async function tellResult<T>(
  work: () => Promise<T>,
  tell: (result: OperationResult) => void,
): Promise<T> {
  try {
    const done = await work();
    tell('ok');
    return done;
  } catch (error) {
    tell(error instanceof ApiError && error.status < 500 ? 'refused' : 'failed');
    throw error;
  }
}
