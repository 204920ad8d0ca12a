import { ChefHat, Gauge, GraduationCap } from 'lucide-react';
import { errorText } from '../api/call-error.ts';
import { Button } from '../ui/button.tsx';
import { Note } from '../ui/feedback.tsx';
import { useLogin } from './use-login.ts';

const demos = [
  { label: 'Student', icon: GraduationCap, studentId: 'student1', password: 'password123' },
  { label: 'Kitchen', icon: ChefHat, studentId: 'kitchen', password: 'kitchenpassword' },
  { label: 'Admin', icon: Gauge, studentId: 'admin', password: 'adminpassword' },
] as const;

/** One tap into each role. Only there while the lab is on, as these users are. */
export function DemoLogins() {
  const login = useLogin();
  return (
    <section aria-label="Demo logins" className="space-y-2.5">
      <p className="text-muted-foreground text-center text-sm">
        The lab is on. Have a look around as
      </p>
      <div className="grid grid-cols-3 gap-2">
        {demos.map(({ label, icon: Icon, ...credentials }) => (
          <Button
            key={label}
            variant="outline"
            className="h-auto flex-col gap-1 py-3"
            disabled={login.isPending}
            aria-label={`Demo login as ${label.toLowerCase()}`}
            onClick={() => login.mutate(credentials)}
          >
            <Icon className="text-primary-ink size-5!" aria-hidden />
            {label}
          </Button>
        ))}
      </div>
      {login.error && <Note tone="bad">{errorText(login.error)}</Note>}
    </section>
  );
}
