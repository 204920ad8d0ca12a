import { cva, type VariantProps } from 'class-variance-authority';
import { Slot } from 'radix-ui';
import type { ComponentProps } from 'react';
import { cn } from './cn.ts';

const buttonClass = cva(
  'inline-flex items-center justify-center gap-2 whitespace-nowrap rounded-xl font-semibold transition-colors select-none disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0',
  {
    variants: {
      variant: {
        primary: 'bg-primary text-primary-foreground hover:bg-primary/90 shadow-soft',
        outline: 'border border-input bg-card hover:bg-muted',
        soft: 'bg-primary-soft text-primary-ink hover:bg-primary-soft/70',
        ghost: 'hover:bg-muted',
        danger: 'bg-bad text-white hover:bg-bad/90 dark:text-background',
        'danger-outline': 'border border-bad/40 text-bad-ink bg-card hover:bg-bad-soft',
        good: 'bg-good text-white hover:bg-good/90 dark:text-background',
      },
      size: {
        sm: 'h-9 px-3 text-sm',
        md: 'h-11 px-4 text-[0.95rem]',
        lg: 'h-13 px-6 text-base',
        icon: 'size-11 shrink-0',
        'icon-sm': 'size-9 shrink-0',
      },
    },
    defaultVariants: { variant: 'primary', size: 'md' },
  },
);

export type ButtonProps = ComponentProps<'button'> &
  VariantProps<typeof buttonClass> & { asChild?: boolean };

export function Button({ className, variant, size, asChild, type, ...rest }: ButtonProps) {
  const classes = cn(buttonClass({ variant, size }), className);
  if (asChild) return <Slot.Root className={classes} {...rest} />;
  return <button type={type ?? 'button'} className={classes} {...rest} />;
}
