import { Link, Outlet } from '@tanstack/react-router';
import { homeOf, type Session, session } from '../api/session.ts';
import { cn } from '../ui/cn.ts';
import { useObservable } from '../ui/hooks.ts';
import { AccountMenu } from './account-menu.tsx';
import { Wordmark } from './brand.tsx';
import { bottomNavOf, type NavEntry, navOf } from './nav.ts';
import { Notices } from './notices.tsx';
import { ThemeToggle } from './theme.tsx';

export function AppShell() {
  const user = useObservable(session);
  if (!user) return null;
  const bottom = bottomNavOf(user.role);
  return (
    <>
      <a
        href="#content"
        className="bg-card sr-only z-50 rounded-lg p-3 focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to the content
      </a>
      <Header user={user} />
      <Notices />
      <main
        id="content"
        tabIndex={-1}
        className={cn('mx-auto w-full max-w-7xl px-4 py-5 outline-none sm:px-6 sm:py-7', {
          'max-md:pb-28': bottom.length > 0,
        })}
      >
        <Outlet />
      </main>
      {bottom.length > 0 && <BottomNav entries={bottom} />}
    </>
  );
}

function Header({ user }: { user: Session }) {
  const entries = navOf(user.role);
  const hideOnPhone = bottomNavOf(user.role).length > 0;
  return (
    <header className="bg-background/85 sticky top-0 z-30 border-b backdrop-blur-md">
      <div className="mx-auto flex h-16 max-w-7xl items-center gap-2 px-4 sm:gap-5 sm:px-6">
        <Link to={homeOf(user.role)} aria-label="Rushlight, start page" className="flex rounded-lg">
          <Wordmark className={hideOnPhone ? '' : 'max-md:[&>span]:sr-only'} />
        </Link>
        <nav
          aria-label="Main"
          className={cn('flex min-w-0 flex-1 gap-1 overflow-x-auto', {
            'max-md:invisible': hideOnPhone,
          })}
        >
          {entries.map((entry) => (
            <HeaderLink key={entry.to} entry={entry} />
          ))}
        </nav>
        <div className="flex shrink-0 items-center">
          <ThemeToggle />
          <AccountMenu user={user} />
        </div>
      </div>
    </header>
  );
}

function HeaderLink({ entry: { to, label, exact } }: { entry: NavEntry }) {
  return (
    <Link
      to={to}
      activeOptions={{ exact: exact ?? false }}
      className="text-muted-foreground hover:text-foreground data-[status=active]:bg-muted data-[status=active]:text-foreground rounded-lg px-3 py-2 text-sm font-semibold whitespace-nowrap"
    >
      {label}
    </Link>
  );
}

function BottomNav({ entries }: { entries: readonly NavEntry[] }) {
  return (
    <nav
      aria-label="Main, bottom"
      className="bg-card/95 fixed inset-x-0 bottom-0 z-20 grid auto-cols-fr grid-flow-col border-t pb-[env(safe-area-inset-bottom)] backdrop-blur md:hidden"
    >
      {entries.map(({ to, label, short, icon: Icon, exact }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: exact ?? false }}
          className="text-muted-foreground data-[status=active]:text-primary-ink flex h-16 flex-col items-center justify-center gap-1 text-[0.6875rem] font-semibold tracking-tight"
        >
          <Icon className="size-5.5" aria-hidden />
          {short ?? label}
        </Link>
      ))}
    </nav>
  );
}
