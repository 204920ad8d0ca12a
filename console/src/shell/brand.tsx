import { cn } from '../ui/cn.ts';

/** The mark: a rushlight, a small flame on its stem. */
export function Flame({ className, still }: { className?: string; still?: boolean }) {
  return (
    <svg viewBox="0 0 24 32" className={cn('h-8 w-6', className)} aria-hidden="true">
      <g className={still ? undefined : 'animate-flicker origin-[50%_62%]'}>
        <path
          className="fill-flame"
          d="M12 1.500c4 4.500 6.300 7.900 6.300 11.300a6.300 6.300 0 0 1-12.600 0c0-2.200 1-4.100 2.600-5.900.3 1.600 1.100 2.600 2.200 3.100C10.100 7 10.500 4.300 12 1.500Z"
        />
        <path
          className="fill-[oklch(0.93_0.09_88)]"
          d="M12 9.800c1.700 1.900 2.600 3.200 2.600 4.500a2.600 2.600 0 0 1-5.200 0c0-1.400.9-2.600 2.600-4.500Z"
        />
      </g>
      <path
        className="fill-foreground/85"
        d="M9.600 21.600h4.800l-.5 9.200a1.300 1.300 0 0 1-1.300 1.200h-1.200a1.300 1.300 0 0 1-1.300-1.200Z"
      />
    </svg>
  );
}

export function Wordmark({ className }: { className?: string }) {
  return (
    <span className={cn('font-display inline-flex items-center gap-2 font-semibold', className)}>
      <Flame className="h-7 w-5" />
      <span className="text-[1.2rem] tracking-tight">Rushlight</span>
    </span>
  );
}
