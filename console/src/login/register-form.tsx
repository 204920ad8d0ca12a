import { publicApi } from '@rushlight/contracts';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/api.ts';
import { errorText } from '../api/call-error.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field } from '../ui/field.tsx';
import { useLogin } from './use-login.ts';

type Fields = { name: string; studentId: string; password: string };

export function RegisterForm() {
  const [fields, setFields] = useState<Fields>({ name: '', studentId: '', password: '' });
  const login = useLogin();
  const register = useMutation({
    mutationFn: async (body: Fields) => {
      await call(publicApi.register, { body });
      await login.mutateAsync({ studentId: body.studentId, password: body.password });
    },
  });
  const edit = (name: keyof Fields) => (event: React.ChangeEvent<HTMLInputElement>) =>
    setFields((before) => ({ ...before, [name]: event.target.value }));
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        const { name, studentId, password } = fields;
        register.mutate({ name: name.trim(), studentId: studentId.trim(), password });
      }}
    >
      <Field
        label="Your name"
        autoComplete="name"
        maxLength={100}
        value={fields.name}
        onChange={edit('name')}
        required
      />
      <Field
        label="Student ID"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        value={fields.studentId}
        onChange={edit('studentId')}
        required
      />
      <Field
        label="Password"
        type="password"
        autoComplete="new-password"
        maxLength={128}
        hint="At least 8 characters."
        value={fields.password}
        onChange={edit('password')}
        required
      />
      {register.error && <Note tone="bad">{errorText(register.error)}</Note>}
      <Button type="submit" size="lg" className="w-full" disabled={register.isPending}>
        {register.isPending ? 'Creating your account…' : 'Create account'}
      </Button>
    </form>
  );
}
