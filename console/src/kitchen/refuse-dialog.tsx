import { publicApi, type Ticket } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { ticketsQuery } from '../api/queries.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field } from '../ui/field.tsx';

const usual = ['An ingredient has run out', 'The station is broken', 'The kitchen closes'];

/** Asks why, then refuses: the order is cancelled and the student gets the money back. */
export function RefuseDialog({
  ticket,
  onClose,
}: {
  ticket: Ticket | undefined;
  onClose: () => void;
}) {
  return (
    <Modal
      open={ticket !== undefined}
      onOpenChange={(open) => !open && onClose()}
      title={`Refuse ticket ${ticket?.pickupNumber ?? ''}`}
      description="The order is cancelled and the student gets the money back."
    >
      {ticket && <RefuseForm key={ticket.orderId} orderId={ticket.orderId} onDone={onClose} />}
    </Modal>
  );
}

function RefuseForm({ orderId, onDone }: { orderId: string; onDone: () => void }) {
  const [reason, setReason] = useState('');
  const refuse = useMutation({
    mutationFn: () =>
      call(publicApi.ticketRefused, { params: { orderId }, body: { reason: reason.trim() } }),
    onSuccess: onDone,
    onSettled: () => queryClient.invalidateQueries({ queryKey: ticketsQuery.queryKey }),
  });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        refuse.mutate();
      }}
    >
      <div className="flex flex-wrap gap-2">
        {usual.map((text) => (
          <Button key={text} variant="soft" size="sm" onClick={() => setReason(text)}>
            {text}
          </Button>
        ))}
      </div>
      <Field
        label="Reason"
        value={reason}
        maxLength={200}
        onChange={(event) => setReason(event.target.value)}
        required
      />
      {refuse.error && <Note tone="bad">{errorText(refuse.error)}</Note>}
      <Button
        type="submit"
        variant="danger"
        className="w-full"
        disabled={refuse.isPending || reason.trim() === ''}
      >
        Refuse and refund
      </Button>
    </form>
  );
}
