import { type ComponentProps, useId } from 'react';
import { cn } from './cn.ts';

const inputClass =
  'bg-card border-input placeholder:text-muted-foreground/80 h-11 w-full min-w-0 rounded-xl border px-3.5 text-base aria-invalid:border-bad disabled:opacity-60';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input className={cn(inputClass, className)} {...rest} />;
}

/** A labelled input with an optional hint and error, tied together for screen readers. */
export function Field({
  label,
  hint,
  error,
  className,
  ...rest
}: ComponentProps<'input'> & { label: string; hint?: string; error?: string | undefined }) {
  const id = useId();
  const noteId = `${id}-note`;
  const note = error ?? hint;
  return (
    <div className={cn('space-y-1.5', className)}>
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <Input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={note ? noteId : undefined}
        {...rest}
      />
      {note && (
        <p id={noteId} className={cn('text-sm', error ? 'text-bad-ink' : 'text-muted-foreground')}>
          {note}
        </p>
      )}
    </div>
  );
}

/** A labelled choice of a few. */
export function SelectField({
  label,
  className,
  children,
  ...rest
}: ComponentProps<'select'> & { label: string }) {
  const id = useId();
  return (
    <div className={cn('space-y-1.5', className)}>
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <select id={id} className={cn(inputClass, 'px-2.5')} {...rest}>
        {children}
      </select>
    </div>
  );
}
