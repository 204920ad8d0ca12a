import { publicApi } from '@rushlight/contracts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/api.ts';
import { CallError } from '../api/call-error.ts';
import { endedBecause } from '../api/session.ts';
import { Flame, Wordmark } from '../shell/brand.tsx';
import { Notices } from '../shell/notices.tsx';
import { ThemeToggle } from '../shell/theme.tsx';
import { Card } from '../ui/card.tsx';
import { cn } from '../ui/cn.ts';
import { Note } from '../ui/feedback.tsx';
import { useObservable, useTitle } from '../ui/hooks.ts';
import { DemoLogins } from './demo-logins.tsx';
import { LoginForm } from './login-form.tsx';
import { RegisterForm } from './register-form.tsx';

const tabs = { login: 'Log in', register: 'Create account' } as const;
type Tab = keyof typeof tabs;
const tabNames = Object.keys(tabs) as Tab[];

export function LoginPage() {
  useTitle('Log in');
  const because = useObservable(endedBecause);
  const [tab, setTab] = useState<Tab>('login');
  const { data: labOn } = useQuery(labQuery);
  return (
    <>
      <Notices />
      <div className="grid min-h-dvh lg:grid-cols-[1.1fr_1fr]">
        <Welcome />
        <main className="flex flex-col px-4 py-5 sm:px-8">
          <div className="flex items-center justify-between">
            <Wordmark className="lg:invisible" />
            <ThemeToggle />
          </div>
          <div className="mx-auto flex w-full max-w-md flex-1 flex-col justify-center gap-4 py-6">
            <div>
              <h1 className="text-3xl font-semibold">
                {tab === 'login' ? 'Good to see you' : 'Open an account'}
              </h1>
              <p className="text-muted-foreground mt-1">
                {tab === 'login' ? 'Log in to order your meal.' : 'It takes ten seconds.'}
              </p>
            </div>
            {because && <Note tone="info">{because}</Note>}
            <Card className="p-5 sm:p-6">
              <TabBar tab={tab} onTab={setTab} />
              <div id="account-form" role="tabpanel" aria-label={tabs[tab]}>
                {tab === 'login' ? <LoginForm /> : <RegisterForm />}
              </div>
            </Card>
            {labOn && <DemoLogins />}
          </div>
        </main>
      </div>
    </>
  );
}

/** Without a token the faults answer 401 with the lab on and 404 with the lab off. */
const labQuery = {
  queryKey: ['lab-on'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<boolean> => {
    try {
      await call(publicApi.listFaults, {}, { signal });
      return true;
    } catch (error) {
      if (error instanceof CallError && error.status === 401) return true;
      if (error instanceof CallError && error.status === 404) return false;
      throw error;
    }
  },
};

function TabBar({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  /** There are two: each arrow leads to the other one. */
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    const other = tab === 'login' ? 'register' : 'login';
    onTab(other);
    event.currentTarget.querySelector<HTMLElement>(`[data-tab=${other}]`)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label="Account"
      onKeyDown={onKeyDown}
      className="bg-muted mb-5 grid grid-cols-2 rounded-xl p-1"
    >
      {tabNames.map((name) => (
        <button
          key={name}
          data-tab={name}
          type="button"
          role="tab"
          aria-selected={tab === name}
          aria-controls="account-form"
          tabIndex={tab === name ? 0 : -1}
          onClick={() => onTab(name)}
          className={cn('h-10 rounded-lg text-sm font-semibold', {
            'bg-card dark:bg-input/50 shadow-soft': tab === name,
            'text-muted-foreground hover:text-foreground': tab !== name,
          })}
        >
          {tabs[name]}
        </button>
      ))}
    </div>
  );
}

function Welcome() {
  return (
    <div className="relative hidden overflow-hidden bg-[oklch(0.205_0.022_52)] text-[oklch(0.95_0.02_85)] lg:flex lg:flex-col lg:justify-between lg:p-12">
      <div
        aria-hidden
        className="absolute top-[40%] left-1/2 size-[56rem] -translate-1/2 rounded-full bg-[radial-gradient(closest-side,oklch(0.75_0.16_62/0.42),oklch(0.6_0.14_50/0.14)_55%,transparent)]"
      />
      <span className="relative [&_svg>path]:fill-[oklch(0.95_0.02_85)]">
        <Wordmark />
      </span>
      <div className="relative flex flex-1 items-center justify-center">
        <span className="[&_svg>path]:fill-[oklch(0.95_0.02_85)]">
          <Flame className="h-56 w-42" />
        </span>
      </div>
      <div className="relative max-w-lg">
        <p className="font-display text-4xl leading-tight font-semibold text-balance">
          Order now. It will be there, even in the rush.
        </p>
        <p className="mt-3 text-[oklch(0.82_0.03_80)]">
          Every accepted order reaches the kitchen. Nothing is sold twice, nobody is charged twice.
        </p>
      </div>
    </div>
  );
}
