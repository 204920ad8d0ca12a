import { publicApi, type Role } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { call, queryClient } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { Button } from '../ui/button.tsx';
import { Modal } from '../ui/dialog.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field, SelectField } from '../ui/field.tsx';

export function AddUserDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Modal open={open} onOpenChange={(now) => !now && onClose()} title="Add a user">
      <AddUserForm onDone={onClose} />
    </Modal>
  );
}

const blank = { studentId: '', name: '', role: 'kitchen' as Role, password: '' };

function AddUserForm({ onDone }: { onDone: () => void }) {
  const [draft, setDraft] = useState(blank);
  const add = useMutation({
    mutationFn: () => {
      const { studentId, name, role, password } = draft;
      const named = name.trim() === '' ? {} : { name: name.trim() };
      const body = { studentId: studentId.trim(), role, password, ...named };
      return call(publicApi.addUser, { body });
    },
    onSuccess: () => {
      toast.success(`${draft.studentId} can log in now.`);
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['admin', 'users'] }),
  });
  const edit = (name: keyof typeof blank) => (event: { target: { value: string } }) =>
    setDraft((before) => ({ ...before, [name]: event.target.value }));
  return (
    <form
      className="space-y-4"
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate();
      }}
    >
      <Field
        label="ID"
        maxLength={64}
        value={draft.studentId}
        onChange={edit('studentId')}
        required
      />
      <Field label="Name" maxLength={100} value={draft.name} onChange={edit('name')} />
      <SelectField label="Role" value={draft.role} onChange={edit('role')}>
        <option value="student">student</option>
        <option value="kitchen">kitchen</option>
        <option value="admin">admin</option>
      </SelectField>
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        hint="At least 8 characters."
        value={draft.password}
        onChange={edit('password')}
        required
      />
      {add.error && <Note tone="bad">{errorText(add.error)}</Note>}
      <Button type="submit" className="w-full" disabled={add.isPending}>
        Add this user
      </Button>
    </form>
  );
}
