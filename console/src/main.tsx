import './styles.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Toaster } from 'sonner';
import { queryClient } from './api/api.ts';
import { session } from './api/session.ts';
import { startLive } from './live/live.ts';
import { router } from './router.tsx';
import { isDark } from './shell/theme.tsx';
import { useObservable } from './ui/hooks.ts';

function App() {
  const dark = useObservable(isDark);
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster
        theme={dark ? 'dark' : 'light'}
        position="bottom-right"
        mobileOffset={{ bottom: 84 }}
        toastOptions={{
          classNames: { toast: 'font-sans! rounded-xl! bg-card! text-foreground! border-border!' },
        }}
      />
    </QueryClientProvider>
  );
}

startLive();
// Whoever loses or gains a session may no longer, or not yet, see this page.
session.subscribe(() => void router.invalidate());

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
