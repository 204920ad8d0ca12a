// Messages that no consumer could take: seen, put back, or dropped, by an admin.

import type { Bus, Handlers } from '@rushlight/chassis';
import { ApiError, type adminApi } from '@rushlight/contracts';

type Routes = 'listDeadLetters' | 'replayDeadLetter' | 'dropDeadLetter';

export function createDeadLetters(
  bus: Pick<Bus, 'deadLetters'>,
): Handlers<Pick<typeof adminApi, Routes>> {
  const { deadLetters } = bus;
  return {
    listDeadLetters: async () => ({ status: 200, body: await deadLetters.list() }),
    replayDeadLetter: async ({ params: { id } }) => {
      if (!(await deadLetters.replay(id))) throw new ApiError('unknown_letter', { id });
      return { status: 204, body: undefined };
    },
    dropDeadLetter: async ({ params: { id } }) => {
      if (!(await deadLetters.drop(id))) throw new ApiError('unknown_letter', { id });
      return { status: 204, body: undefined };
    },
  };
}
