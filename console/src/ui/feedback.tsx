// What stands where data is not: skeletons, empty states and errors.

import { CircleAlert, RotateCw } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { CallError, errorText } from '../api/call-error.ts';
import { Button } from './button.tsx';
import { cn } from './cn.ts';

export function Skeleton({ className, ...rest }: ComponentProps<'div'>) {
  return (
    <div aria-hidden className={cn('bg-muted animate-pulse rounded-xl', className)} {...rest} />
  );
}

/** As many grey rows as there will be content, so that nothing jumps when it comes. */
export function SkeletonRows({ rows, className }: { rows: number; className?: string }) {
  return (
    <div role="status" aria-label="Loading" className="space-y-3">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
        <Skeleton key={index} className={cn('h-20', className)} />
      ))}
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-2xl border border-dashed px-6 py-12 text-center">
      <div className="bg-primary-soft text-primary-ink mb-1 grid size-12 place-items-center rounded-full [&_svg]:size-6">
        {icon}
      </div>
      <p className="font-display text-lg font-semibold">{title}</p>
      {children && <div className="text-muted-foreground max-w-sm text-sm">{children}</div>}
    </div>
  );
}

/** A page or part that could not be read, with the platform's own sentence. */
export function Failed({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <div
      role="alert"
      className="bg-bad-soft text-bad-ink flex flex-wrap items-center gap-3 rounded-2xl px-4 py-3 text-sm"
    >
      <CircleAlert className="size-5 shrink-0" aria-hidden />
      <p className="min-w-48 flex-1">{errorText(error)}</p>
      {onRetry && !isFinal(error) && (
        <Button variant="outline" size="sm" onClick={onRetry} className="text-foreground">
          <RotateCw /> Try now
        </Button>
      )}
    </div>
  );
}

/** Asking again would bring the same answer. */
function isFinal(error: unknown): boolean {
  return error instanceof CallError && !error.retryable && error.status < 500;
}

/** A short message next to a form. */
export function Note({ tone, children }: { tone: 'bad' | 'good' | 'info'; children: ReactNode }) {
  const classes = {
    bad: 'bg-bad-soft text-bad-ink',
    good: 'bg-good-soft text-good-ink',
    info: 'bg-warn-soft text-warn-ink',
  } as const;
  return (
    <p
      role={tone === 'bad' ? 'alert' : 'status'}
      className={cn('rounded-xl px-3.5 py-2.5 text-sm', classes[tone])}
    >
      {children}
    </p>
  );
}
