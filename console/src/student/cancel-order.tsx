import { type OrderView, publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call, queryClient } from '../api/api.ts';
import { CallError, errorText } from '../api/call-error.ts';
import { orderQuery } from '../api/queries.ts';
import { isEnded, mayCancel } from '../domain/order-status.ts';
import { Button } from '../ui/button.tsx';
import { Confirm } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';

/** Asking twice is safe: a cancelled order answers "cancelled" again. So lost answers are retried. */
export function CancelOrder({ order }: { order: OrderView }) {
  const [asking, setAsking] = useState(false);
  const { orderId } = order;
  const cancel = useMutation({
    mutationFn: async () => (await call(publicApi.cancelOrder, { params: { orderId } })).body,
    retry: (failures, error) => failures < 4 && error instanceof CallError && error.retryable,
    retryDelay: (failures) => 500 * 2 ** failures,
    onSuccess: (after) => queryClient.setQueryData(orderQuery(orderId).queryKey, after),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['orders'] }),
  });
  const may = mayCancel(order.status);
  const begun = asking && !may && !isEnded(order.status);
  if (!may && !begun && !cancel.error) return null;
  return (
    <div className="space-y-3">
      {may && (
        <Button
          variant="danger-outline"
          className="w-full"
          disabled={cancel.isPending}
          onClick={() => setAsking(true)}
        >
          {cancel.isPending ? 'Cancelling…' : 'Cancel this order'}
        </Button>
      )}
      {begun && <Note tone="info">The kitchen has begun: this can no longer be cancelled.</Note>}
      {cancel.error && <Note tone="bad">{errorText(cancel.error)}</Note>}
      <Confirm
        open={asking && may}
        onOpenChange={setAsking}
        title="Cancel this order?"
        description="Your portion goes to somebody else. What you paid comes back to your wallet."
        confirm="Yes, cancel it"
        cancel="Keep my order"
        onConfirm={() => cancel.mutate()}
      />
    </div>
  );
}
