import { kindOfPart, publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { CallError, errorText } from '../api/call-error.ts';

type Fault = { fault: 'kill' | 'stop'; target: string; durationS: number };

/** Breaks a part. Who kills the gateway gets no answer from it: that is the expected end. */
export function useFault() {
  return useMutation({
    mutationFn: (body: Fault) => call(publicApi.startFault, { body }),
    onSuccess: (_, { fault, target, durationS }) => {
      toast(fault === 'kill' ? `${target} was killed.` : `${target} is frozen for ${durationS} s.`);
    },
    onError: (error, { target }) => {
      const cutOff = error instanceof CallError && error.kind === 'unreachable';
      if (cutOff && kindOfPart(target) === 'gateway')
        toast('gateway was killed, and so was its answer.');
      else toast.error(errorText(error));
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['admin'] }),
  });
}
