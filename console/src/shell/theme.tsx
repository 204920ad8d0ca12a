import { Moon, Sun } from 'lucide-react';
import { observable } from '../domain/observable.ts';
import { Button } from '../ui/button.tsx';
import { useObservable } from '../ui/hooks.ts';

const storageKey = 'rushlight.theme';
const systemDark = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now. `public/theme.js` has decided it before the first paint. */
export const isDark = observable(document.documentElement.classList.contains('dark'));

systemDark.addEventListener('change', ({ matches }) => {
  if (chosen() === null) apply(matches);
});

function chosen(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

function apply(dark: boolean): void {
  document.documentElement.classList.toggle('dark', dark);
  isDark.set(dark);
}

/** Turns to the other theme. A choice equal to the system's is forgotten, to follow it again. */
function toggle(): void {
  const dark = !isDark.get();
  try {
    if (dark === systemDark.matches) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, dark ? 'dark' : 'light');
  } catch {
    // Blocked storage: the choice holds until the page is left.
  }
  apply(dark);
}

export function ThemeToggle() {
  const dark = useObservable(isDark);
  const label = dark ? 'Switch to the light theme' : 'Switch to the dark theme';
  return (
    <Button variant="ghost" size="icon" onClick={toggle} aria-label={label} title={label}>
      {dark ? <Sun className="size-5" /> : <Moon className="size-5" />}
    </Button>
  );
}
