import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { ticketsQuery } from '../api/queries.ts';

/** Moves a ticket; whatever came of it, the display looks again. */
export function useTicketAction(action: 'ticketReady' | 'ticketCollected') {
  return useMutation({
    mutationFn: (orderId: string) => call(publicApi[action], { params: { orderId } }),
    onError: (error) => toast.error(errorText(error)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ticketsQuery.queryKey }),
  });
}
