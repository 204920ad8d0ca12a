import type { ComponentProps } from 'react';
import { cn } from './cn.ts';

/** A table that scrolls within itself, so that the page never scrolls sideways. */
export function Table({ className, label, ...rest }: ComponentProps<'table'> & { label: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must take the focus
    <section aria-label={label} className="overflow-x-auto" tabIndex={0}>
      <table className={cn('w-full border-collapse text-sm', className)} {...rest} />
    </section>
  );
}

export function Th({ className, ...rest }: ComponentProps<'th'>) {
  return (
    <th
      scope="col"
      className={cn(
        'text-muted-foreground border-b px-3 py-2.5 text-left text-xs font-semibold whitespace-nowrap first:pl-4 last:pr-4',
        className,
      )}
      {...rest}
    />
  );
}

export function Td({ className, ...rest }: ComponentProps<'td'>) {
  return (
    <td
      className={cn('border-b px-3 py-2.5 align-middle first:pl-4 last:pr-4', className)}
      {...rest}
    />
  );
}
