import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { call } from '../api/api.ts';
import { beginSession } from '../api/session.ts';

export type Credentials = { studentId: string; password: string };

/** Logs in; the router then leads to the user's page. */
export function useLogin() {
  return useMutation({
    mutationFn: async (body: Credentials) => {
      const { token, role, expiresInS } = (await call(publicApi.login, { body })).body;
      const expiresAtMs = Date.now() + expiresInS * 1_000;
      beginSession({ token, role, studentId: body.studentId, expiresAtMs });
    },
  });
}
