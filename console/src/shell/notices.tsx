// What is wrong with the connection, said plainly, over the page so that nothing moves.

import { CloudOff, RefreshCw } from 'lucide-react';
import { reachable } from '../api/api.ts';
import { streamState } from '../live/live.ts';
import { useObservable } from '../ui/hooks.ts';

export function Notices() {
  const answering = useObservable(reachable);
  const stream = useObservable(streamState);
  return (
    <div className="pointer-events-none sticky top-16 z-30 h-0" aria-live="polite" role="status">
      <div className="mx-auto flex max-w-xl flex-col items-center gap-2 px-3 pt-2">
        {!answering && (
          <Strip className="bg-bad text-white dark:text-background" icon={<CloudOff />}>
            Rushlight is not answering. We keep trying; accepted orders are safe.
          </Strip>
        )}
        {answering && stream.kind === 'interrupted' && (
          <Strip
            className="bg-warn text-[oklch(0.24_0.04_70)]"
            icon={<RefreshCw className="animate-spin" />}
          >
            Live updates are interrupted, reconnecting…
          </Strip>
        )}
      </div>
    </div>
  );
}

function Strip({
  className,
  icon,
  children,
}: {
  className: string;
  icon: React.ReactNode;
  children: React.ReactNode;
}) {
  return (
    <p
      className={`${className} animate-rise flex items-center gap-2.5 rounded-full px-4 py-2 text-sm font-semibold shadow-lg [&_svg]:size-4 [&_svg]:shrink-0`}
    >
      {icon}
      {children}
    </p>
  );
}
