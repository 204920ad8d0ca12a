import type { ComponentProps } from 'react';
import { cn } from './cn.ts';

export function Card({ className, ...rest }: ComponentProps<'div'>) {
  return <div className={cn('bg-card rounded-2xl border shadow-soft', className)} {...rest} />;
}

/** A headed part of a page. */
export function Section({
  title,
  note,
  action,
  className,
  children,
}: {
  title: string;
  note?: string;
  action?: React.ReactNode;
  className?: string;
  children: React.ReactNode;
}) {
  return (
    <section aria-label={title} className={cn('space-y-3', className)}>
      <div className="flex flex-wrap items-end justify-between gap-x-4 gap-y-2">
        <div>
          <h2 className="text-lg font-semibold">{title}</h2>
          {note && <p className="text-muted-foreground text-sm">{note}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}
