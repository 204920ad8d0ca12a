import { useState } from 'react';
import { errorText } from '../api/call-error.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/feedback.tsx';
import { Field } from '../ui/field.tsx';
import { useLogin } from './use-login.ts';

export function LoginForm() {
  const [studentId, setStudentId] = useState('');
  const [password, setPassword] = useState('');
  const login = useLogin();
  return (
    <form
      className="space-y-4"
      onSubmit={(event) => {
        event.preventDefault();
        login.mutate({ studentId: studentId.trim(), password });
      }}
    >
      <Field
        label="Student ID"
        name="studentId"
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        value={studentId}
        onChange={(event) => setStudentId(event.target.value)}
        required
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        required
      />
      {login.error && <Note tone="bad">{errorText(login.error)}</Note>}
      <Button type="submit" size="lg" className="w-full" disabled={login.isPending}>
        {login.isPending ? 'Logging in…' : 'Log in'}
      </Button>
    </form>
  );
}
