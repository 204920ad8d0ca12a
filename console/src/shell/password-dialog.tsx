import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { endSession, type Session } from '../api/session.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field } from '../ui/field.tsx';

export function PasswordDialog({
  open,
  onOpenChange,
  user,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  user: Session;
}) {
  const [password, setPassword] = useState('');
  const [newPassword, setNewPassword] = useState('');
  const change = useMutation({
    mutationFn: () => call(publicApi.changePassword, { body: { password, newPassword } }),
    onSuccess: () =>
      endSession(user.token, 'Your password is changed. Please log in with the new one.'),
  });
  return (
    <Modal open={open} onOpenChange={onOpenChange} title="Change password">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate();
        }}
      >
        <Field
          label="Present password"
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          required
        />
        <Field
          label="New password"
          type="password"
          autoComplete="new-password"
          hint="At least 8 characters. You will log in again with it."
          value={newPassword}
          onChange={(event) => setNewPassword(event.target.value)}
          required
        />
        {change.error && <Note tone="bad">{errorText(change.error)}</Note>}
        <Button type="submit" className="w-full" disabled={change.isPending}>
          Change password
        </Button>
      </form>
    </Modal>
  );
}
