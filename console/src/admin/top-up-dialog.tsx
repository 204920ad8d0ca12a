import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { toast } from 'sonner';
import { call } from '../api/api.ts';
import { CallError, errorText } from '../api/call-error.ts';
import { newKey } from '../api/new-key.ts';
import { money, parseMoney } from '../domain/money.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field } from '../ui/field.tsx';

/** Puts money into a wallet, once per key: a second try after a lost answer adds nothing twice. */
export function TopUpDialog({
  studentId,
  onClose,
}: {
  studentId: string | undefined;
  onClose: () => void;
}) {
  return (
    <Modal
      open={studentId !== undefined}
      onOpenChange={(open) => !open && onClose()}
      title="Add money"
      description={`Into the wallet of ${studentId ?? ''}.`}
    >
      {studentId && <TopUpForm key={studentId} studentId={studentId} onDone={onClose} />}
    </Modal>
  );
}

function TopUpForm({ studentId, onDone }: { studentId: string; onDone: () => void }) {
  const [amount, setAmount] = useState('20.00');
  const key = useRef({ value: newKey(), amount });
  const amountCents = parseMoney(amount);
  const topUp = useMutation({
    mutationFn: async () => {
      if (key.current.amount !== amount) key.current = { value: newKey(), amount };
      const headers = { 'idempotency-key': key.current.value };
      const body = { studentId, amountCents: amountCents ?? 0 };
      return (await call(publicApi.topUp, { headers, body })).body;
    },
    retry: (failures, error) => failures < 3 && error instanceof CallError && error.retryable,
    onSuccess: ({ balanceCents }) => {
      toast.success(`${studentId} has ${money(balanceCents)} now.`);
      onDone();
    },
  });
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        topUp.mutate();
      }}
    >
      <Field
        label="Amount"
        inputMode="decimal"
        value={amount}
        error={
          amountCents === null || amountCents === 0 ? 'An amount looks like 20.00.' : undefined
        }
        onChange={(event) => setAmount(event.target.value)}
      />
      {topUp.error && <Note tone="bad">{errorText(topUp.error)}</Note>}
      <Button type="submit" className="w-full" disabled={!amountCents || topUp.isPending}>
        Add {amountCents ? money(amountCents) : 'money'}
      </Button>
    </form>
  );
}
